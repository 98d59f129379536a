"""Bring the lottery in a real account to where a lesson begins."""

from lottery_lib import Stack, draw, plan
from lottery_lib import execution as executed
from lottery_lib.draws import machine_arn
from lottery_lib.employees import tutorial_roster
from lottery_lib.resources.contents import empty_winners, load_employees
from lottery_lib.waiting import Waiter


def first_draw(target):
    """Draw two, until a draw is not refused: the rights of new roles are not live at once."""

    def drawn():
        empty_winners(target)  # a draw that failed may have recorded somebody
        told = draw(target, 2)
        return None if "may not hold everywhere yet" in str(told["cause"]) else told

    return Waiter().until("the rights of the new roles to hold", drawn, seconds=300, every=15)


def prepare(target, lesson, mail_queue):
    """Do what `restore` does on an emulator: take back what the lessons before have done."""
    for made, _ in plan.made_by_hand(target):
        made.delete()
    iam = target.kit_client("iam")
    for role in (plan.lambda_role(target), plan.machine_role(target)):
        for name in role.other_policies():
            if name.startswith("arn:"):
                iam.detach_role_policy(RoleName=role.name, PolicyArn=name)
            else:
                iam.delete_role_policy(RoleName=role.name, PolicyName=name)
    executed.stop_running(target, machine_arn(target))
    for edition in ("tutorial", "hardened") if lesson > "16" else ("tutorial",):
        Stack(target.named(target.names.in_edition(edition)), announce=lambda plan: None).deploy()
    load_employees(target, tutorial_roster())
    mail_queue.subscribe()
    mail_queue.spare_the_person()
    first_draw(target)
    if lesson != "07":
        empty_winners(target)
    mail_queue.clear()

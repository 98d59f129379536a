"""What must hold after a cell whose output is different each time, by the id of the cell."""

from typing import Final

HOLDS: Final = {
    "01-08": """
# the ARN ends in the role's name.
assert role["Arn"].endswith(f":role/{target.names.lambda_role}"), (
    "a role's ARN should end in the role's name"
)
""",
    "03-17": """
# before the confirmation, only the question from SNS has come.
assert all(mail.kind == "confirmation" for mail in inbox(target).mails), (
    "before the confirmation only SNS's question should have come"
)
""",
    "03-26": """
# the mail begins with the message.
assert all(mail.text.startswith(hello) for mail in inbox(target).notifications), (
    "the mail should begin with what was published"
)
""",
    "05-26": """
# each placeholder has an ARN.
assert sorted(arns) == sorted(definition.placeholders(text)), "each place has its ARN"
assert all(arn.startswith("arn:") for arn in arns.values()), "each ARN is an ARN"
""",
    "06-06-calls": """
# the cell above the list made one call.
assert list(calls(target).table["operation"]) == ["StartExecution"], "one call"
""",
    "06-10": """
# SNS took the message, and two different people were recorded.
assert "MessageId" in notified, "SNS should have taken the message"
assert recorded["status_code"] == "SUCCESS", "the winners should be recorded"
first = {winner["employee_id"] for winner in recorded["body"]["winners"]}
assert len(first) == 2, "two different people should have won"
""",
    "06-13": """
# the draw succeeded, and nobody won twice.
assert second["status"] == "SUCCEEDED", "the second draw should succeed, too"
assert first.isdisjoint(winner["employee_id"] for winner in second["winners"]), (
    "nobody should win twice"
)
""",
    "06-44": """
# there were several rounds of three states, and four other states.
assert rounds >= 2, "the first round should have hit a past winner"
assert len(table) == 3 * rounds + 4, "three states a round, and four beside the rounds"
""",
    "07-04": """
# there are winners, and only their keys are written.
assert items, "a draw should have left winners"
assert all(list(item) == ["employee_id"] for item in items), "only the id is written"
""",
    "07-07": """
# the helper lists the people of the table, each once.
assert {item["employee_id"]["S"] for item in items} == set(
    winners(target)["employee_id"]
), "the helper should list the same people as the table"
assert winners(target)["employee_id"].is_unique, "nobody should be in the table twice"
""",
    "07-12": """
# the mail congratulates the winners of the table.
assert all("Lucky Champ!" in mail.text for mail in mails), "the mail congratulates"
assert all(
    name in mail.text for mail in mails for name in winners(target)["employee_name"]
), "the mail should name the winners of the table"
""",
    "07-17": """
# the draw succeeded. It has 7 transitions, and 3 more for each round.
assert draws["status"][0] == "SUCCEEDED", "it succeeded"
assert draws["transitions"][0] % 3 == 1, "seven, and three for each further round"
""",
    "07-18-timeline": """
# seven states succeeded.
assert picture.alt.count("✓") == 7, "seven states should have succeeded"
""",
    "08-16": """
# the state succeeded after two retries.
(line,) = [each for each in picture.alt.splitlines() if "Validate Winners ✓" in each]
assert "↻" in line and "2" in line, picture.alt
""",
    "08-49": """
# the cause names the action that is not allowed.
assert "is not authorized to perform: dynamodb:Scan on resource: " in cause, cause
""",
    "08-54": """
# the cause names the action that is not allowed.
cause = str(why["cause"])
assert "is not authorized to perform: SNS:Publish on resource: " in cause, cause
""",
    "13-21": """
# the winner was asked.
assert "do you accept" in first_mail, "the winner should be asked"
""",
    "13-26": """
# on an emulator, the mailbox has a mail.
assert target.kind == "aws" or inbox(target).notifications, "a mail should be there"
""",
    "13-31": """
# the answer was sent with SendTaskSuccess.
assert "SendTaskSuccess" in set(calls(target).table["operation"]), "the answer was sent"
""",
    "16-11": """
# seven transitions, or three for each round and four more.
many, few = both["transitions"]
assert few == 7, "seven states in each draw"
assert many % 3 == 1, "three a round, and four more"
""",
    "16-18": """
# twelve prizes, but at most ten people.
assert len(winners(target)) <= 10, "at least two people should have won twice"
""",
    "16-51": """
# IAM has refused the call, and the table is there.
assert "not authorized to perform: dynamodb:DeleteTable" in refused["cause"], "refused"
assert Table(target, table).find(), "the table should be there"
""",
    "16-56": """
# one car, then three bicycles, and a mail for each prize.
assert len(drawn["winners"]) == 4, "there should be four winners"
assert drawn["winners"][0]["prize"] == "Car", "the prizes should be in order"
assert len(inbox(target).notifications) == 2, "there should be a mail for each prize"
""",
    "17-6": """
# all thousand employees are in the table.
assert loaded == 1000, "everyone should be in the table"
""",
    "17-19": """
# each of the thirty draws enters at least seven states.
assert table["transitions"].sum() >= 210, "each draw should enter seven states"
""",
    "90-08": """
# ten people can win, and both codes have 64 characters.
assert announced["size"] == 10, "ten people"
assert len(announced["pool"]) == len(announced["commitment"]) == 64, "two codes"
""",
    "90-19": """
# the value was sent with SendTaskSuccess.
assert "SendTaskSuccess" in set(made["operation"]), "the value was sent"
""",
    "90-22": """
# three people are recorded, and nobody has a mail yet.
assert len(mugs.winners) == len(winners(target)) == 3, "three people"
assert not inbox(target).notifications, "the mail waits for the roll call"
""",
    "90-25": """
# three people have a mug, and the absent person is not one of them.
assert [person.id for person in mugs.absent] == [gone.id], "one person is absent"
assert len(mugs.winners) == 3, "three people have a mug"
assert gone not in mugs.winners, "somebody else has the place"
""",
}

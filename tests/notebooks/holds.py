"""What must hold after a cell whose output is different each time, by the id of the cell."""

from typing import Final

#: The next draw waits in its first function until it was started twice, however slow this machine is.
_HOLD: Final = """
from pathlib import Path
from lottery_lib.resources.lambda_function import LAMBDAS_FOLDER, zipped
function, held, starts = target.names.function("InputWinners"), Path("held").absolute(), []
held.mkdir()
code = LAMBDAS_FOLDER / "input_winners" / "lambda_function.py"
wait = f"\\nimport os, time\\nwhile os.path.exists({str(held)!r}): time.sleep(0.01)\\n"
(held / code.name).write_text(code.read_text() + wait)
target.client("lambda").update_function_code(FunctionName=function, ZipFile=zipped(held))

def started(**call):
    starts.append(call)
    if len(starts) == 2:
        (held / code.name).unlink()
        held.rmdir()

target.client("stepfunctions").meta.events.register("after-call.sfn.StartExecution", started)
"""

HOLDS: Final = {
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
    "06-06-calls": """
# the cell above the list made one call.
assert list(calls(target).table["operation"]) == ["StartExecution"], "one call"
""",
    "06-10": """
# SNS took the message, and two different people were recorded.
assert "MessageId" in notified, "SNS should have taken the message"
assert recorded["status_code"] == "SUCCESS", "the winners should be recorded"
won = {winner["employee_id"] for winner in recorded["body"]["winners"]}
assert len(won) == 2, "two different people should have won"
"""
    + _HOLD,
    "06-14a": """
# the second start gave the first execution.
assert first["executionArn"] == again["executionArn"], "one name should be one execution"
""",
    "06-13": """
# the draw succeeded, and nobody won twice.
assert second["status"] == "SUCCEEDED", "the second draw should succeed, too"
assert won.isdisjoint(winner["employee_id"] for winner in second["winners"]), (
    "nobody should win twice"
)
""",
    "06-16": """
# there were three draws of two, and not four.
assert len(winners(target)) == 6, "six people should have won"
""",
    "06-22": """
# the draw in the panel succeeded.
assert drawn["status"] == "SUCCEEDED" and len(drawn["winners"]) == 2, drawn["status"]
""",
    "06-36": """
# eleven of ten people cannot win.
assert too_many["error"] == "NotEnoughEmployees", "the draw should fail"
""",
    "06-44": """
# in each round three states were entered, and four states beside the rounds.
rounds = int((table["state"] == "Random Select Winners").sum())
assert rounds >= 1, "there should be a round"
assert rounds > 60 or len(table) == 3 * rounds + 4, "three states a round, and four more"
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
    "07-18-states": """
# seven states succeeded, two of them in the branches of the Parallel.
assert (table["status"] == "succeeded").all(), "each state should have succeeded"
assert list(table["branch"] != "") == [False] * 5 + [True] * 2, "two branches"
""",
    "07-18-look": """
# the view shows that seven states succeeded.
assert list(ExecutionView(definition, events).statuses.values()) == ["succeeded"] * 7, (
    "seven states should have succeeded"
)
""",
    "07-23-states": """
# the output of each state is the input of the next.
top = table[table["branch"] == ""]
assert list(top["output"])[:-1] == list(top["input"])[1:], "output becomes input"
""",
    "07-42": """
# SNS got the message that the state before made.
(scheduled,) = [event for event in events if event["type"] == "TaskScheduled"]
sent = json.loads(scheduled["taskScheduledEventDetails"]["parameters"])
assert sent["Message"] == table["input"].iloc[-1]["sns"], "the message is $.sns"
""",
    "08-12": """
# the state succeeded after two retries.
tried = state_table(survived)
ends = tried[tried["state"] == "Validate Winners"]["status"]
assert list(ends) == ["failed", "failed", "succeeded"], "two retries should help"
""",
    "08-43": """
# the Parallel was tried three times, and its Catch led to Failed.
ends = state_table(unlucky).groupby("state")["status"].agg(list)
assert ends["Send SNS and Record In Dynamodb"] == ["failed", "failed", "caught"], "caught"
assert ends["Failed"] == ["failed"], "the draw should end in Failed"
""",
    "08-52c": """
# the first draw failed, the second one did not.
assert failed_events[-1]["type"] == "ExecutionFailed", "the first draw should fail"
assert repaired_events[-1]["type"] == "ExecutionSucceeded", "the second draw should succeed"
""",
    "08-54": """
# the cause names the action that is not allowed.
cause = str(denied["cause"])
assert "is not authorized to perform: SNS:Publish on resource: " in cause, cause
""",
    "11-27": """
# the file is there, with the states of the plan.
assert set(plan) <= set(json.loads(Path("evening.asl.json").read_text())["States"]), "the plan"
""",
    "11-37": """
# the file is there, with the states of the plan.
assert set(plan) <= set(json.loads(Path("evening.asl.json").read_text())["States"]), "the plan"
""",
    "13-21": """
# the winner was asked, and the text ends with a token.
assert "do you accept your prize? Your token: " in mail.text, "the winner should be asked"
""",
    "14-04": _HOLD,
    "14-16h": """
# what failed has succeeded after the redrive, and the mail was not sent again.
words = repr(compare(ExecutionView(machine, before), ExecutionView(machine, after)))
assert "Record Winner Queue: status, attempts" in words, words
assert "Notify Winners" not in words, words
""",
    "15-33g": """
# the Parallel was tried three times.
assert "Send SNS and Record In Dynamodb" in unlucky.states, unlucky.states
assert history["events"][-1]["type"] == "ExecutionFailed", "the draw should fail"
""",
    "15-45g": """
# the repaired draw had no Parallel.
words = repr(compare(unlucky, ExecutionView(machine, history["events"])))
assert "Send SNS and Record In Dynamodb: only the first entered it" in words, words
""",
    "16-16": """
# both draws succeeded, and at least two people are in both.
lists = [json.loads(each["output"])[1]["body"]["winners"] for each in both]
first, second = ({winner["employee_id"] for winner in each} for each in lists)
assert len(first) == len(second) == 6, "each draw has six winners"
assert len(first & second) >= 2, "at least two people should have won twice"
""",
    "16-18": """
# twelve prizes, but at most ten people.
assert len(inbox(target).notifications) == 2, "both draws should have sent a mail"
assert recorded == len(first | second), "one item for each person"
""",
    "17-80": """
# a row for each draw; one of them failed, and the parent caught it.
from lottery_lib import state_table
drawn = state_table(history(thirty["executionArn"]))
drawn = drawn[drawn["state"] == "Draw"]["status"].value_counts()
assert dict(drawn) == {"succeeded": 29, "caught": 1}, "29 of thirty draws should succeed"
""",
    "17-19": """
# a draw of two enters seven states, and each retry is one more.
assert len(done["executions"]) >= 29, "29 of thirty draws should have succeeded"
assert len(state_table(history(arn))) >= 7, "a draw should enter seven states"
""",
    "90-06": """
# ten people can win, and both codes have 64 characters.
assert announced["size"] == 10, "ten people"
assert len(announced["pool"]) == len(announced["commitment"]) == 64, "two codes"
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
    "90-36": """
# the receipts of the two prizes, in their order, and the secret at the end.
rounds = ["drawn", "roll call"]
kinds_told = [receipt["kind"] for receipt in told]
assert kinds_told == ["announced", "asked", "public value", *rounds * 3, "closed"], kinds_told
""",
    "90-72": """
# three different people stand before the cousin.
assert len({cousin, *rivals}) == 4, "three rivals and the cousin"
""",
    "90-74": """
# the check is amber, because three people were withdrawn after the question.
found = check_receipts(receipts(hardened, "attack-2"))
assert (found.verdict, found.problems, found.counts["late"]) == ("amber", [], 3), "three late changes"
""",
    "14-32": """
# the evening succeeded, and three different people won.
assert ended(party)["status"] == "SUCCEEDED", "the evening should succeed"
won = json.loads(ended(party)["output"])
assert len(set(won)) == 3, "each prize should have another winner"
""",
    "14-40": """
# each of the six draws sent one mail, and the last mail is that of its version.
assert len(inbox(target).notifications) == 6, "six draws should send six mails"
assert version in versions, "a draw should have one of the two versions"
assert ("Come to the stage!" in mails[-1].text) == (version == versions[1]), "the mail should be the version's"
""",
    "18-35": """
# the run ended at a batch with a bad row, and some of the others were written before.
counts = april_run["itemCounts"]
assert april_run["status"] == "FAILED", "the run should fail"
assert counts["total"] == 1000 and counts["failed"] >= 25, "a batch of 25 should have failed"
assert 10 + counts["succeeded"] <= people() < 1010, "the table should have what succeeded"
""",
    "18-25c": """
# the Map is one state of the execution, and it succeeded.
assert ExecutionView(definition, events).statuses["Load"] == "succeeded", "the Map should have succeeded"
""",
    "18-56": """
# March had forty children, and each of them is at least a tenth of a second on the bill.
assert len(children) == 40 and seconds >= 4, "forty children of at least 0.1 s"
""",
    "18-58": """
# batches cost less than single rows, and Express children cost least.
assert list(bill.values()) == sorted(bill.values(), reverse=True), "each way should be cheaper than the one before"
""",
    "09-31d": """
# the view is of the draw that failed.
assert execution["status"] == "FAILED", "office 3 should have failed"
""",
    "09-33c": """
# each night had four draws that succeeded and one that failed; others may have drawn, too.
assert table["ExecutionsSucceeded"].sum() >= 8, "eight draws succeeded"
assert table["ExecutionsFailed"].sum() >= 2, "two draws failed"
""",
    "20-14": """
# the redriven draw ended well; it may have drawn again, because somebody had won before.
assert events[-1]["type"] == "ExecutionSucceeded", "the redrive should have succeeded"
""",
}

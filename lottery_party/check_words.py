"""Everything that a check says: in Python, on the page `check.html`, and in an announcement."""

from collections.abc import Mapping
from typing import Any, Final

from lottery_lib.translation import _, language, ngettext
from lottery_party.public_value import PLAIN_QUESTIONS

_CLAIMS: Final = {
    "each receipt names the one before": _("each receipt names the one before"),
    "the pool is the one that was announced": _("the pool is the one that was announced"),
    "the secret is the one that was announced": _("the secret is the one that was announced"),
    "the public value is what the room can read": _("the public value is what the room can read"),
    "the winners are the next people in the order": _("the winners are the next people in the order"),
    "each prize has as many winners as announced": _("each prize has as many winners as announced"),
    "nobody was skipped without a receipt": _("nobody was skipped without a receipt"),
    "the list of winners is that of the receipts": _("the list of winners is that of the receipts"),
}
#: What a check says, in the order of `docs/receipts.md`. The data have these words in every language.
CLAIMS: Final = tuple(_CLAIMS)
#: The claims and the counts of a check as people read them.
WORDS: Final = {
    **_CLAIMS,
    "announced": _("Draws announced"),
    "closed": _("Draws closed"),
    "not ended": _("Draws not ended"),
    "taken back": _("Announcements taken back"),
    "prizes added": _("Prizes added"),
    "prizes not drawn": _("Prizes not drawn"),
    "withdrawn": _("People withdrawn"),
    "late": _("Changes after the question"),
    "absent": _("People called absent"),
    "skipped": _("Earlier winners skipped"),
    "resets": _("Resets of the list of winners"),
    "restored": _("Restorations from a file"),
}
#: What a check counts.
COUNTS: Final = tuple(WORDS)[len(_CLAIMS) :]
#: What a check says in one sentence, by `checker.Checked.word`. Amber has two.
VERDICTS: Final = {
    "green": _("Everything fits, and nobody changed anything after the question"),
    "happened": _("It fits, but something happened"),
    "steered": _("It fits, but somebody could have steered it"),
    "red": _("Something does not fit"),
}
#: What makes a check amber: what happened, and what it could have been good for.
NOTICES: Final = {
    "empty": _("There is no draw in these receipts."),
    "oldRules": _(
        "Draw {draw} was announced by an older kit. Its rules are those of an older format, which had ways "
        "to cheat that stay unseen."
    ),
    "noValue": _(
        "Draw {draw} has no public value. With rights on the tables, the operator could choose a secret that "
        "makes a friend win."
    ),
    "text": _(
        'Draw {draw}: the answer to "{question}" is a text. Somebody can guess a text, and choose a secret '
        "that fits it."
    ),
    "ownQuestion": _(
        'Draw {draw}: "{question}" is a question of the operator\'s own, and no plain one for numbers. '
        "Somebody could know which numbers are its answer, and choose a secret that fits them."
    ),
    "few": _(
        "Draw {draw}: the question has few answers ({values}). The operator could choose a secret with which "
        "a friend wins with many of them."
    ),
    "oneNumber": _(
        "Draw {draw}: the whole answer is one number, so one person gives it. That person could be a friend "
        "of the operator."
    ),
    "corrected": _(
        "Draw {draw}: the public value was corrected from {before} to {value} ({at}). The operator could "
        "know who wins with both."
    ),
    "notAsked": _(
        "Draw {draw}: no receipt says when the room was asked. The operator could know the public value "
        "before the announcement."
    ),
    "lateWithdrawn": _(
        "Draw {draw}: {person} was withdrawn after the question ({at}). The operator could remove those who "
        "stand before a friend."
    ),
    "lastWithdrawn": _(
        "Draw {draw}: {person} was withdrawn after the question ({at}). Nobody who was drawn later stands "
        "behind this person, so it helped nobody."
    ),
    "lateAdded": _(
        "Draw {draw}: the prize {prize} ({count}) was added after the question ({at}). The operator could "
        "give others a small prize, so that a friend is the next for a large one."
    ),
    "lateFromEnd": _(
        "Draw {draw}: the prize {prize} ({count}) was added after the question ({at}). It is drawn from the "
        "end of the order, so the announced prizes stay as they were. The operator could know who gets it."
    ),
    "againAfterEnd": _(
        "Draw {draw} was announced after another one had ended ({at}). Those who won in it are skipped."
    ),
    "againOthers": _(
        "Draw {draw} ({at}) skips those who won in a draw before, where not all of its people could win. The "
        "operator could let only the rivals of a friend win there."
    ),
    "again": _(
        "Draw {draw} was announced after another one ({at}). The operator could try several draws, and go on "
        "with the best."
    ),
    "takenBackEarly": _(
        "The announcement of {draw} was taken back ({at}), before the room was asked. So the code that was "
        "photographed first does not count any more."
    ),
    "takenBack": _(
        "The announcement of {draw} was taken back ({at}). The operator could hear the room's value, and try "
        "another draw."
    ),
    "clockBack": _(
        "{where}: its time ({at}) is before that of the receipt before it ({before}). A clock was put back, "
        "so compare the times with your photographs."
    ),
    "restored": _(
        "The evening {evening} was restored ({at}) from a file that was saved earlier ({saved_at}); {lost} "
        "receipts were lost. The operator could give another public value."
    ),
    "restoredAfterValue": _(
        "The evening {evening} was restored ({at}) from a file that was saved earlier ({saved_at}), with the "
        "public value in it. No receipt was lost, as after a crash."
    ),
    "resetBefore": _(
        "The list of winners was emptied ({at}), before the latest announcement: {removed} people. They "
        "could win again."
    ),
    "reset": _(
        "The list of winners was emptied ({at}): {removed} people. The operator could let them win again."
    ),
    "notEnded": _("Draw {draw} has not ended, so nobody can repeat it yet."),
    "undrawn": _(
        "Draw {draw}: the prize {prize} was announced, but not drawn. The operator could stop because a "
        "friend was not the next."
    ),
}
#: The notices of what only happened. With all others, somebody could have steered the draw.
HAPPENED: Final = (
    "lastWithdrawn",
    "lateFromEnd",
    "againAfterEnd",
    "takenBackEarly",
    "restoredAfterValue",
    "resetBefore",
    "clockBack",
    "notEnded",
)
#: What a guest compares about the public value.
VALUE: Final = _(
    '{draw}: "{question}" was answered with "{value}" ({at}), {seconds} seconds after the question'
)
VALUE_ONLY: Final = _('{draw}: "{question}" was answered with "{value}" ({at})')
#: Why a claim is false.
PROBLEMS: Final = {
    "file": _("The file is not one of a lottery's receipts."),
    "format": _(
        "The file has format {given}, and this check reads format {ours}. "
        "Use the check of the kit that wrote it."
    ),
    "draw": _("Draw {draw}: something in it has a wrong form."),
    "tooMuch": _("{where}: it counts other draws or restorations than the lottery's chain has."),
    "alike": _("Draw {draw}: the ids {one} and {other} in the pool look alike."),
    "value": _('Draw {draw}: the public value "{value}" is not written as everybody reads it.'),
    "question": _("Draw {draw}: the public value does not answer the question that was announced."),
    "seconds": _("Draw {draw}: the seconds after the question are not those between its two receipts."),
    "end": _("Draw {draw}: the lottery's chain at its end was not the one that its last receipt names."),
    "otherName": _("{one} has another name in the list of winners than in the pool."),
    "noPool": _("Draw {draw}: it is closed, and its pool or the salt of its pool is missing."),
    "row": _("List of winners, row {at}: something in it has a wrong form."),
    "form": _("{where}: it does not have the form of a receipt."),
    "chainReceipt": _("The lottery's chain, receipt {at}"),
    "drawReceipt": _("Draw {draw}, receipt {at}"),
    "previous": _("{where}: it does not name the receipt before it."),
    "number": _("{where}: it has the number {number}."),
    "before": _("{where}: it counts {said} draws before it; the chain has {real}."),
    "noDraw": _("{where}: the folder has no draw {draw} that begins with this receipt."),
    "notInChain": _("Draw {draw}: the lottery's chain does not have it."),
    "kind": _('{where}: "{kind}" is not possible at this place.'),
    "secret": _("Draw {draw}: the secret is not the one that was announced."),
    "pool": _("Draw {draw}: the pool is not the one that was announced."),
    "noPrize": _("{where}: there is no prize {number} yet."),
    "absent": _("{where}: {one} is called absent, but did not win prize {number}."),
    "late": _("{where}: prize {number} is drawn after a later prize."),
    "order": _("{where}: it says {said}, and the order says {real}."),
    "passedOver": _("{where}: somebody was passed over who was not the next in the order."),
    "unwon": _("{where}: the folder's list of earlier winners is not that of the receipt."),
    "tooMany": _("{where}: prize {number} has more winners than announced."),
    "tooFew": _("Draw {draw}: prize {number} has fewer winners than announced."),
    "skipped": _("Draw {draw}: {one} was passed over, but no other draw's receipt names them."),
    "noReceipt": _("{one} is in the list of winners, but no receipt names them."),
    "noRow": _("{one} won in draw {draw}, but is not in the list of winners."),
    "twice": _("{one} won more than once."),
    "otherRow": _("{one} has another draw, prize or status in the list of winners than in the receipts."),
    "nobody": _("nobody"),
}
#: What happens if the winner of a prize is absent, by the rule that was announced.
RULES: Final = {
    "out": _("If a winner is absent, somebody else gets the prize. The absent person cannot win any more."),
    "may win later": _(
        "If a winner is absent, somebody else gets the prize. The absent person can win a later prize, "
        "after everybody who was never absent."
    ),
}
#: The texts of the page. A name in braces stands for a value.
TEXT: Final = {
    "language": language(),
    "title": _("Check the lottery"),
    "working": _("Checking…"),
    "bothTimes": _("{local} / {utc} UTC"),
    "plainQuestions": PLAIN_QUESTIONS,
    "verdicts": VERDICTS,
    "notices": NOTICES,
    "happened": HAPPENED,
    "claimsTitle": _("What was checked"),
    "notYet": _("{claim} (not known before each draw has ended)"),
    "claims": dict(
        zip(
            ("chain", "pool", "secret", "value", "order", "count", "skipped", "list"),
            _CLAIMS.values(),
            strict=True,
        )
    ),
    "counts": {count: WORDS[count] for count in COUNTS},
    "noticesTitles": {
        "steered": _("Somebody could have steered it: what it could have been good for"),
        "happened": _("Something happened. An honest evening can have it, too"),
    },
    "problemsTitle": _("What does not fit"),
    "more": _("And {number} more."),
    "you": _("Are you in it?"),
    "yourName": _("Your name, or your id as on your badge"),
    "place": _("Draw {draw}: you were in the pool, at place {place} of the order (of {size})."),
    "notInPool": _("Draw {draw}: nobody with this name or id was in the pool."),
    "sameName": _("Draw {draw}: {number} people have this name. Look for your department and your id."),
    "everybody": _("Everybody who was in the pool of draw {draw}: {number}"),
    "won": _("Draw {draw}: you won {prize}."),
    "notHere": _("Draw {draw}: you were called absent for {prize}."),
    "notClosed": _(
        "The pool is shown when a draw is closed. Before that, a proof shows that you are in it: see below."
    ),
    "winners": _("Winners of draw {draw}"),
    "nobody": _("Not drawn."),
    "absent": _("(absent)"),
    "withdrawn": _("Withdrawn: these people could not win any more"),
    "early": _("{name} (before the question)"),
    "late": _("{name} (after the question)"),
    "skipped": _("Skipped: these people had won in another draw before"),
    "added": _("(added after the announcement)"),
    "youLeft": _("Draw {draw}: you were withdrawn."),
    "unknown": _("In the list, without a receipt"),
    "codesTitle": _("Compare these codes with your photographs"),
    "codesWhy": _(
        "The stage has shown them. If one character is different, somebody has changed something. Without a "
        "photograph you cannot know: somebody who can write to all tables can make other receipts that fit."
    ),
    "codes": _("Draw {draw}"),
    "code": _("Code of the announcement"),
    "valueCode": _("Code after the public value"),
    "endCode": _("Code of the end"),
    "earlierCode": _("Code after the public value, before it was corrected"),
    "root": _("Code of the pool"),
    "commitment": _("Code of the secret"),
    "before": _("Draws that had been announced before: {number}"),
    "paste": _("Or paste here the text of a QR code that you have photographed"),
    "pasteRight": _("It fits: {name} of draw {draw}"),
    "pasteOther": _("It does not fit: the code {code} is none of those above."),
    "pasteWrong": _("It does not fit: this text has none of the codes above."),
    "proofTitle": _("Do you have a proof?"),
    "proofWhy": _(
        "A proof shows before a draw that you are in the pool. Type your name or your id above, and paste "
        "the proof here."
    ),
    "proof": _("Proof"),
    "proofRight": _("Draw {draw}: you are in the pool, as {person}."),
    "proofWrong": _("This proof does not lead from this name or id to the pool that was announced."),
    "proofsWhy": _(
        "This page has proofs for everybody, and no names. Type your id, your name, and your department if "
        "you have one, as your company writes them."
    ),
    "yourId": _("Your id, as on your badge"),
    "yourOwnName": _("Your name"),
    "yourDepartment": _("Your department"),
    "proofsRight": _("You are in the pool of {number} people that was announced, as {person}."),
    "proofsNoId": _("Nobody with this id is in the pool that was announced."),
    "proofsOther": _(
        "This id is in the pool, but with another name or department. Type your department, too, as your "
        "company writes it."
    ),
    "proofsBroken": _("The proofs on this page are not those of the pool that was announced."),
    "proofForm": _("This is not a proof. Copy all of it, from { to }."),
    "limits": _("What nobody can prove"),
    "limitsText": _(
        "The pool itself may have the wrong people. The receipts do not prove that an absent person was "
        "absent. Compare the public value with what the room has called. Somebody may have heard it before "
        "the stage asked. And if you do not trust this page, get it from another place, and open the "
        "receipts with it."
    ),
    "announced": _("Draw {draw} is announced"),
    "qr": _("QR code"),
    "announcedWhy": _("Photograph this page. After the draw you can check that nothing was changed."),
    "prizes": _("Prizes, in this order"),
    "prize": ngettext("{prize}: 1 winner", "{prize}: {count} winners", 2),
    "prizeOfOne": ngettext("{prize}: 1 winner", "{prize}: {count} winners", 1),
    "rule": RULES,
    "size": ngettext("1 person can win", "{count} people can win", 2),
    "sizeOfOne": ngettext("1 person can win", "{count} people can win", 1),
    "question": _("The room is asked: {question}"),
    "noQuestion": _("The room is asked nothing, so there is no public value."),
    "given": _("This is the public value. It was typed at {at}. Seconds after the question: {seconds}"),
    "givenOnly": _("This is the public value. It was typed at {at}."),
    "noValue": _("There is no public value yet."),
    "announcedOnly": _("This page shows the announcement. What came later is not on it."),
    "takenBack": _("This announcement was taken back."),
    "oldRules": _("This draw has the rules of format 1. Its photograph has these two codes."),
    "open": _("Open a file of receipts (receipts.json)"),
    "noJson": _("This file is not JSON."),
    "problems": PROBLEMS,
}


def value_line(draw: Mapping[str, Any]) -> str:
    """The public value of a draw in one line. It takes one of `checker.Checked.draws`."""
    line = VALUE_ONLY if draw["seconds"] is None else VALUE
    return line.format(**draw)

"""Name every resource: as the tutorial does, or for the hardened edition, with `-<attendee>` appended."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lottery_lib.errors import LotteryError
from lottery_lib.translation import _

#: The folder that holds `asl`, `data`, `lambdas` and `notebooks`.
KIT: Final = Path(__file__).resolve().parent.parent
FUNCTIONS: Final = ("InputWinners", "RandomSelectWinners", "ValidateWinners", "RecordWinners")
#: The functions of each edition that has resources of its own, in the order in which a draw calls them.
EDITIONS: Final = {"tutorial": FUNCTIONS, "hardened": ("CommitDraw", "DrawPrize")}
# Each edition, and the edition whose resources it has. `jsonata` only gives the tutorial's machine another
# definition.
_BASES: Final = {"tutorial": "tutorial", "jsonata": "tutorial", "hardened": "hardened"}
# The longest name, `MyStepFunctionsExecutionRole`, has 28 of the 64 characters that Lambda and IAM allow.
# Only small letters: for IAM the roles of `Alice` and `alice` are one role, for all other services two. An
# attendee named `hardened` is allowed: the machine Lottery-hardened is not the other edition's machine
# Lottery-Hardened. The names of the roles of both editions differ in more than capitals.
ATTENDEE: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?")


@dataclass(frozen=True)
class Names:
    """The names and tags of one attendee's resources. They depend only on the edition and the attendee.

    Args:
        attendee: 1 to 30 small letters, digits and inner hyphens; empty for the tutorial's own names.
        edition: ``"tutorial"`` or ``"hardened"``; they share the topic, the employees and the winners. Or
            ``"jsonata"``: the tutorial's resources, and the same workflow in JSONata.

    Raises:
        LotteryError: AWS does not allow this attendee in a name, or the edition does not exist.
    """

    attendee: str = ""
    edition: str = "tutorial"

    def __post_init__(self) -> None:
        if self.attendee and not ATTENDEE.fullmatch(self.attendee):
            raise LotteryError(
                "LOTTERY_ATTENDEE",
                _("{attendee!r} cannot be part of an AWS name", attendee=self.attendee),
                _("Use 1 to 30 small letters (a to z), digits and hyphens, with no hyphen at either end"),
            )
        if self.edition not in _BASES:
            raise LotteryError(
                "LOTTERY_EDITION",
                _("there is no edition {edition!r}", edition=self.edition),
                _("Use one of: {names}", names=", ".join(_BASES)),
            )

    def of(self, base: str) -> str:
        """This attendee's form of a name, such as ``"Lottery-Winners-alice"``."""
        return f"{base}-{self.attendee}" if self.attendee else base

    def in_edition(self, edition: str) -> "Names":
        """The same attendee's names in an edition."""
        return Names(self.attendee, edition)

    @property
    def base(self) -> str:
        """The edition whose resources this edition has: ``"tutorial"`` or ``"hardened"``."""
        return _BASES[self.edition]

    @property
    def other(self) -> "Names":
        """The names of this attendee's other edition."""
        return self.in_edition("hardened" if self.base == "tutorial" else "tutorial")

    @property
    def lambda_role(self) -> str:
        """The role of the functions (tutorial 2.2.1, which lets you choose the name)."""
        return self._by_edition("LotteryLambdaRole", "-LambdaRole")

    @property
    def machine_role(self) -> str:
        """The role of the state machine (tutorial 2.2.5)."""
        return self._by_edition("MyStepFunctionsExecutionRole", "-MachineRole")

    @property
    def boundary(self) -> str:
        """The managed policy that limits the roles of both editions, if an administrator has created it."""
        return self.of("Lottery-Boundary")

    @property
    def topic(self) -> str:
        """The SNS topic (tutorial 2.2.3)."""
        return self.of("Lottery-Notification")

    @property
    def employee_table(self) -> str:
        """The table of the employees who can win (tutorial 2.2.4)."""
        return self.of("Lottery-Employee")

    @property
    def winners_table(self) -> str:
        """The table of the employees who have won (tutorial 2.2.4)."""
        return self.of("Lottery-Winners")

    @property
    def pool_table(self) -> str:
        """The table with the pool of a draw, in the hardened edition."""
        return self.of("Lottery-Hardened-Pool")

    @property
    def draws_table(self) -> str:
        """The table with the records of the draws, in the hardened edition."""
        return self.of("Lottery-Hardened-Draws")

    @property
    def machine(self) -> str:
        """The state machine (tutorial 2.2.5)."""
        return self._by_edition("Lottery", "")

    def function(self, purpose: str) -> str:
        """The Lambda function for a purpose, such as ``"InputWinners"`` (tutorial 2.2.2)."""
        return self._by_edition(f"Lottery-{purpose}", f"-{purpose}")

    @property
    def functions(self) -> dict[str, str]:
        """Every function's name by its purpose, in the order in which a draw calls them."""
        return {purpose: self.function(purpose) for purpose in EDITIONS[self.base]}

    def log_group(self, function_name: str) -> str:
        """The log group in which Lambda writes what a function prints."""
        return f"/aws/lambda/{function_name}"

    @property
    def tags(self) -> dict[str, str]:
        """The tags that mark a resource as ours."""
        return {"lottery-workshop": self.base, "lottery-attendee": self.attendee}

    def _by_edition(self, tutorial: str, hardened: str) -> str:
        return self.of(tutorial if self.base == "tutorial" else f"Lottery-Hardened{hardened}")

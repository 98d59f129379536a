"""Print the help of each command of `lottery`, as a terminal shows it."""

import click

from lottery_lib.__main__ import lottery, main


def walk(group: click.Command, words: list[str]) -> None:
    """Print the help of a command, and of those below it."""
    main([*words, "--help"])
    context = click.Context(group)
    for name in group.list_commands(context) if isinstance(group, click.Group) else ():
        if not (command := group.get_command(context, name)).hidden:
            walk(command, [*words, name])


if __name__ == "__main__":
    walk(lottery, [])

"""What a run of states notes."""

from types import SimpleNamespace

from sfn_emulator.engine.redrives import Progress, state


def env_after(event_id, **fields):
    context = SimpleNamespace(last_published_event_id=event_id)
    states = SimpleNamespace(_states_data={"input": fields.pop("given")})
    return SimpleNamespace(event_history_context=context, states=states, **fields)


def test_a_stop_between_two_states_goes_on_at_the_second():
    """The first one has ended, so it does not run again."""
    from moto.stepfunctions.parser.asl.eval.program_state import ProgramRunning

    running = ProgramRunning()
    running.next_state_name = "B"
    progress, first = Progress(), SimpleNamespace(name="A", state_type=SimpleNamespace(name="Task"))

    def ends(_, env):
        env.event_history_context.entering.entered = 7
        env.states._states_data = {"input": "its output"}

    env = env_after(9, given="its input", progress=progress, _program_state=running)
    state(ends, first, env)
    assert (progress.state, progress.given, progress.latest) == ("B", "its output", 9)
    assert progress.entered == 0  # B has not begun


def test_a_state_that_goes_on_is_not_entered_again():
    """The event with which it began counts, but only for this time."""
    progress = Progress(state="A", entered=3).again(5)
    assert [progress.goes_on_silently() for _ in range(2)] == [True, False]
    assert progress.entered == 3


def test_a_state_that_nobody_saw_begin_is_entered():
    """It has not begun yet, or it began after the stop that ended the history."""
    for entered, latest, known in ((0, 4, 4), (6, 8, 0)):
        progress = Progress(state="A", entered=entered, latest=latest).again(5)
        assert (progress.goes_on, progress.latest, progress.goes_on_silently()) == (True, known, False)

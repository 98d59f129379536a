"""The format of Step Functions Local's mock files."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sfn_emulator.errors import EmulatorError
from sfn_emulator.states.mocks import MockFile
from states_language.execution import Call, Failed, Succeeded

CALL = Call("id", "arn:aws:states:::dynamodb:getItem", {}, "S")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
THROWS = st.fixed_dictionaries({"Error": st.text()}, optional={"Cause": st.text()})
ANSWERS = JSON.map(lambda it: {"Return": it}) | THROWS.map(lambda it: {"Throw": it})
NAMES = st.text(max_size=8)


@st.composite
def responses(draw):
    """Answers with their numbers: what the file has, and which call gets which."""
    written, answered, number = {}, {}, 0
    for answer in draw(st.lists(ANSWERS, max_size=4)):
        first = number + draw(st.integers(0, 2))  # calls in between have no answer
        number = first + draw(st.integers(1, 3))
        single = number == first + 1 and draw(st.booleans())
        key = str(first) if single else f"{first}-{number - 1}"
        written[draw(st.sampled_from(["{}", " {} "])).format(key)] = answer
        answered |= dict.fromkeys(range(first, number), answer)
    return written, answered


@st.composite
def files(draw):
    """A file, and which call of which state gets which answer in which test case."""
    made = draw(st.dictionaries(NAMES, responses(), min_size=1, max_size=3))
    states = st.dictionaries(NAMES, st.sampled_from([*made]), max_size=3)
    cases = draw(st.dictionaries(NAMES, st.dictionaries(NAMES, states, max_size=3), max_size=3))
    machines = {name: {"TestCases": its_cases} for name, its_cases in cases.items()}
    file = {
        "StateMachines": machines,
        "MockedResponses": {name: written for name, (written, _) in made.items()},
    }
    return file, cases, {name: answered for name, (_, answered) in made.items()}


@given(files())
def test_each_call_gets_the_answer_that_the_file_says(made):
    """In all machines, test cases and states, and the calls in between get none."""
    file, cases, answered = made
    read = MockFile.of(json.dumps(file), "mock.json")
    for machine, its_cases in cases.items():
        for case, states in its_cases.items():
            found = read.answers(machine, case)
            assert {*found} == {*states}
            for state, name in states.items():
                for number in range(16):
                    (told,) = found[state].told(CALL, number)
                    match answered[name].get(number):
                        case {"Return": value}:
                            assert told == Succeeded("id", value)
                        case {"Throw": error}:
                            assert told == Failed("id", error["Error"], error.get("Cause"))
                        case None:
                            assert told.error == "States.Runtime"
                            assert f"has no answer for call {number} of the state" in told.cause


@given(st.text() | JSON.map(json.dumps) | st.binary().map(lambda it: it.decode("latin-1")))
@example("[" * 100_000)
def test_any_other_text_is_one_sentence(text):
    """It names the file."""
    with pytest.raises(EmulatorError, match=r"^mock\.json: .*\.$"):
        MockFile.of(text, "mock.json")


@given(files(), st.data())
def test_a_file_with_something_else_in_one_place_is_one_sentence_or_works(made, data):
    """Wherever the place is, and whatever is there."""
    file, cases, _answered = made
    place, key = file, data.draw(st.sampled_from([*file]))
    while isinstance(place[key], dict) and place[key] and data.draw(st.booleans()):
        place = place[key]
        key = data.draw(st.sampled_from([*place]))
    place[key] = data.draw(JSON)
    try:
        read = MockFile.of(json.dumps(file), "mock.json")
        for machine, its_cases in cases.items():
            for case in its_cases:
                for answers in read.answers(machine, case).values():
                    for number in range(16):
                        assert answers.told(CALL, number)
    except EmulatorError as error:
        assert str(error).startswith("mock.json: ") and str(error).endswith(".")


@pytest.mark.parametrize(
    "key",
    ["", "-", "a", "-1", "1-", "1-0", "0-1-2", "1.0", "٣", "0x1", "1 2", "9999999999", "2", "0-3", "5-9"],
)
def test_a_key_that_numbers_no_free_calls_is_refused(key):
    """A call has one answer, and its number has ASCII digits."""
    answers = {"1-2": {"Return": 1}, "6": {"Return": 1}, key: {"Return": 1}}
    read = MockFile("mock.json", {"M": {"Case": {"S": "R"}}}, {"R": answers})
    with pytest.raises(EmulatorError, match=r"in MockedResponses\.R does not number calls"):
        read.answers("M", "Case")

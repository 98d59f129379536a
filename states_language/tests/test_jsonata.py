"""The evaluator of JSONata, without moto. The errors' texts are those of JSONata 2.0.6 and AWS."""

import copy
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from states_language.jsonata import EvaluationError, evaluate
from states_language.outside import Outside, StepGuard

UNDEFINED = "returned nothing (undefined)."
THREW = "threw an error during evaluation"
MEMORY = f"{THREW}: Expression evaluation memory limit exceeded: Check for excessive memory usage"
TIME = f"{THREW}: Expression evaluation timeout: Check for infinite loop"
DEPTH = f"{THREW}: Stack overflow error: Check for non-terminating recursive function. Consider rewriting as "
LEAVES = (
    some.none()
    | some.booleans()
    | some.integers(-(2**63), 2**63 - 1)
    | some.floats(allow_nan=False, allow_infinity=False)
    | some.text()
)
JSON = some.recursive(
    LEAVES, lambda part: some.lists(part) | some.dictionaries(some.text(), part), max_leaves=20
)


def why(expression, **more):
    """Why an expression has no value."""
    with pytest.raises(EvaluationError) as raised:
        evaluate(expression, {}, **more)
    return str(raised.value)


def read(value):
    """A value as AWS reads it: a whole number has no fraction."""
    if isinstance(value, list):
        return [read(each) for each in value]
    if isinstance(value, dict):
        return {key: read(each) for key, each in value.items()}
    return (
        int(value) if isinstance(value, float) and value.is_integer() and -(2**63) <= value < 2**63 else value
    )


@given(JSON)
def test_a_binding_comes_back_as_it_is(value):
    """A value comes back with the types of its numbers, alone and inside another value; 1.0 is 1."""
    assert repr(evaluate("$x", {"x": value})) == repr(read(value))
    assert repr(evaluate("$states.input", {"states": {"input": value}})) == repr(read(value))
    assert repr(evaluate("{'k': $x}", {"x": value})) == repr({"k": read(value)})


@given(some.text())
def test_a_text_is_never_read_as_an_expression(text):
    """Quotes, brackets and delimiters in the data stay data."""
    assert evaluate("$x & '|' & $x", {"x": text}) == f"{text}|{text}"


@given(some.lists(JSON, max_size=3))
@settings(max_examples=10)
@pytest.mark.parametrize(
    "expression",
    [
        "$append($x, 1)",
        "$reverse($x)",
        "$shuffle($x)",
        "$distinct($x)",
        "$x.**",
        "{'k': $x} ~> |$|{'k': 1}|",
        "$merge([{'a': $x}, {'b': 1}])",
        "[$x, $x]",
        "$sort($x, function($a, $b) { true })",
    ],
)
def test_an_evaluation_changes_no_binding(expression, items):
    """An evaluation does not change its bindings, and its value is not one of them."""
    before = copy.deepcopy(items)
    try:
        value = evaluate(expression, {"x": items})
    except EvaluationError:
        value = None
    assert repr(items) == repr(before)
    assert value is not items


@given(some.lists(some.integers()), some.integers(1, 9))
def test_partition_cuts_an_array_into_parts(items, size):
    """All parts have the same size, except that the last may be shorter."""
    if not items:
        assert why("$partition([], 2)") == UNDEFINED
        return
    parts = evaluate("$partition($x, $n)", {"x": [n % 100 for n in items], "n": size})
    assert [n for part in parts for n in part] == [n % 100 for n in items]
    assert all(len(part) == size for part in parts[:-1]) and 0 < len(parts[-1]) <= size


@given(some.integers(-50, 50), some.integers(-50, 50), some.integers(-9, 9).filter(bool))
def test_range_counts_to_its_end(first, last, step):
    """A range includes its end. One number is not an array, and no number is nothing."""
    numbers = list(range(first, last + (1 if step > 0 else -1), step))
    bindings = {"first": first, "last": last, "step": step}
    if not numbers:
        with pytest.raises(EvaluationError, match="undefined"):
            evaluate("$range($first, $last, $step)", bindings)
    else:
        assert evaluate("$range($first, $last, $step)", bindings) == (numbers if numbers[1:] else numbers[0])


@given(some.integers(-(2**63), 2**63 - 1))
def test_a_seed_always_gives_the_same_number(seed):
    """The number is the same each time, at least 0 and less than 1."""
    first, second = (evaluate("$random($seed)", {"seed": seed}) for _ in range(2))
    assert first == second and 0 <= first < 1


WORDS = (
    "1 -1 0.5 'a' \"b\" true null $ $$ $x a.b [ ] { } ( ) , ; : := ? . ^ < > = != & + - * / % ~> .. ** @ # | "
    "function($a) $sum $map $string $eval $sort and or in /a+/ $f $random $uuid ` \\ {% %} é"
)
TOKENS = some.sampled_from(WORDS.split())


@given(some.lists(TOKENS, max_size=12).map("".join))
def test_any_text_gives_a_value_or_one_error(text):
    """Whatever the expression is, it gives a value or raises EvaluationError."""
    try:
        evaluate(text, {"x": [1, {"a": None}], "a": 1}, outside=Outside(guard=lambda: StepGuard(100)))
    except EvaluationError as error:
        assert str(error).startswith((THREW, "threw an internal error", "returned "))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("10 / 2", 5),
        ("10 / 4", 2.5),
        ("5.5 % 2", 1.5),
        ("-5 % 3", -2),
        ("1 / 0", "Infinity"),
        ("[-1 / 0, {'k': 0 / 0}]", ["-Infinity", {"k": "NaN"}]),
        ("7 % 0", "NaN"),
        ("1e21", 1e21),
        ("$string(1e15)", "1000000000000000"),
        ("$string(1e21)", "1e+21"),
        ("$string(0.1 + 0.2)", "0.3"),
        ("$string(['é', null, $sum])", '["é",null,""]'),
        ("'a' & 1.0 & null", "a1null"),
        ("$distinct([[1], [1]])", [[1]]),
        ("$distinct([1, true, 1])", [1, True]),
        ("1 in [true]", False),
        ("[1, {'a': null}] = [1, {'a': null}]", True),
        ("1 /* a comment */", 1),
        ("$match('é1', /\\w/).match", "1"),
        ("$match('2026-01', /(?<y>\\d+)-(\\d+)/).groups", ["2026", "01"]),
        ("$replace('abc', /(b)/, '[$1]$12')", "a[b]b2c"),
        ("$replace('abc', /B/i, function($m) { $uppercase($m.match) })", "aBc"),
        ("$replace('68F', /(\\d+)F/, function($m) { $m.groups[0] & 'C' })", "68C"),
        ("$replace('aaa', /a/, 'aa', 2)", "aaaaa"),
        ("$replace('a', /a/, '$$$0')", "$a"),
        ("$sort([{'a': 1, 'b': 2}, {'a': 1, 'b': 1}], function($l, $r) { $l.a > $r.a }).b", [2, 1]),
        ("$sort([3, 1, 2], function($l, $r) { $l < $r })", [3, 2, 1]),
        ('"\\uD83D\\uDE00"', "😀"),
        ("$split('a1b2c', /\\d/)", ["a", "b", "c"]),
        ("$contains('abc', /^b/)", False),
        ("$partition([1, 2, 3], 2.9)", [[1, 2], [3]]),
        ("$partition([1, 2, 3])", [[1, 2, 3]]),
        ("$parseInteger('abc', '0')", "NaN"),
        ("$type(null)", "null"),
        ("$now() = $now()", True),
        ("$parse('1.0')", 1),
        ("$range(-1.7, 2, 1)", [-1, 0, 1, 2]),
        ("$hash('input', 'SHA-256')", "c96c6d5be8d08a12e7b5cdc1b207fa6b2430974c86803d8891675e76fd992c20"),
        ("$random(42)", 0.7275636800328681),
        ("$length($uuid())", 36),
        ("$hash('input', 'SHA-1')", "140f86aae51ab9e1cda9b4254fe98a74eb54c1a1"),
        ('$parse("-0")', 0),
        ("$parse('{\"a\": [null, 1.5]}')", {"a": [None, 1.5]}),
        ("$parse('null')", None),
        ("{'a': nope}", {}),
        ("[nope]", []),
        ("nope = 1", False),
        ("$exists($nope)", False),
        ("$count([1..873782])", 873_782),
        ("$count($range(1, 360145, 1))", 360_145),
        ("+".join(["1"] * 100), 100),
        ("($f := function($n, $sum) { $n = 0 ? $sum : $f($n - 1, $sum + $n) }; $f(500, 0))", 125_250),
        ("$contains('abcdefghijklmnopqrstuvwxyz 1234', /([a-z]+)+ \\d+/)", True),
        ("$count(null)", 1),
        ("$append(null, 1)", [None, 1]),
        (
            "$string([1e-7, 0.000015, 1.5e22, 123456789012345678])",
            "[1e-7,0.000015,1.5e+22,123456789012346000]",
        ),
        ("$string({'a': [1, {}], 'b': []}, true)", '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": []\n}'),
        ("$length('\\uD83D\\uDE00')", 1),
        ("$number('0b11') + $number('0X1F')", 34),
        ("$decodeUrl('%2Fa%20b') & $decodeUrlComponent('%2Fa%20b')", "%2Fa b/a b"),
        ("$type(/a/)", "function"),
        ("($f := $sum; $g := $f; $f([1, 2]))", 3),
    ],
)
def test_what_an_expression_gives(expression, expected):
    """Values are those of JSONata 2.0.6 with AWS's functions and limits."""
    value = evaluate(expression, {})
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("1 + 'a'", 'T2002: The right side of the "+" operator must evaluate to a number'),
        ("1 < 'a'", 'T2009: The values 1 and "a" either side of operator "<" must be of the same data type'),
        (
            "{} < 1",
            'T2010: The expressions either side of operator "<" must evaluate to numeric or string values',
        ),
        ("$sum(['a'])", 'T0412: Argument 1 of function "sum" must be an array of "numbers"'),
        ("$pad('a', 'b')", 'T0410: Argument 2 of function "pad" does not match function signature'),
        ("$abs(1, 2)", 'T0410: Argument 2 of function "abs" does not match function signature'),
        ("$lowercase(null)", 'T0410: Argument 1 of function "lowercase" does not match function signature'),
        ("$hash(null, 'MD5')", 'T0410: Argument 1 of function "hash" does not match function signature'),
        ("$toMillis(null)", 'T0410: Argument 1 of function "toMillis" does not match function signature'),
        ("$random('a')", 'T0410: Argument 1 of function "random" does not match function signature'),
        (
            "$hash('a', 'CRC')",
            "D3137: Hash algorithm 'CRC' must be one of SHA-1, SHA-384, SHA-256, SHA-512, MD5",
        ),
        ("$hash(1, 'MD5')", 'T0410: Argument 1 of function "hash" does not match function signature'),
        ("$partition([1], -1)", "D3137: Second argument must be zero or greater"),
        ("$partition('a', 1)", 'T0412: Argument 1 of function "partition" must be an array of undefined'),
        (
            "$partition([1], 1, 2)",
            'T0410: Argument 3 of function "partition" does not match function signature',
        ),
        *((f"$parse('{text}')", "D3137: Invalid JSON") for text in ("", "1 2", "NaN", '{"a": 1, "a": 2}')),
        ("$parse(1)", 'T0410: Argument 1 of function "parse" does not match function signature'),
        ("$uuid(1)", 'T0410: Argument 1 of function "uuid" does not match function signature'),
        ("$number(' 1 ')", 'D3030: Unable to cast value to a number: " 1 "'),
        ("$number('abc')", 'D3030: Unable to cast value to a number: "abc"'),
        (
            "$toMillis('2017-11-07 15:12')",
            "D3110: The argument of the toMillis function must be an ISO 8601 "
            'formatted timestamp. Given "2017-11-07 15:12"',
        ),
        (
            "$power(9, 500)",
            "D3061: The power function has resulted in a value that cannot be represented as a "
            "JSON number: base=9, exponent=500",
        ),
        (
            "$sort([3, 'a'])",
            "D3070: The single argument form of the sort function can only be applied to an array "
            "of strings or an array of numbers.  Use the second argument to specify a comparison function",
        ),
        ("1 / 0 + 1", "D1001: Number out of range: null"),
        ("$string(1 / 0)", "D3001: Attempting to invoke string function on Infinity or NaN"),
        ("-'a'", 'D1002: Cannot negate a non-numeric value: "a"'),
        (
            "$formatBase(100, 99)",
            "D3100: The radix of the formatBase function must be between 2 and 36.  It was given 99",
        ),
        ("$replace('a', '', 'b')", "D3010: Second argument of replace function cannot be an empty string"),
        ("$match('abc', /x*/)", "D1004: Regular expression matches zero length string"),
        ("[1.5..2]", "T2003: The left side of the range operator (..) must evaluate to an integer"),
        ("sum([1])", "T1005: Attempted to invoke a non-function. Did you mean $sum?"),
        ("$eval('1')", "T1006: Attempted to invoke a non-function"),
        ("$randomSeeded(1)", "T1006: Attempted to invoke a non-function"),
        ("$error('no')", "D3137: no"),
        ("1 ?? 2", 'S0211: The symbol "?" cannot be used as a unary operator'),
        ("1 ?: 2", 'S0211: The symbol ":" cannot be used as a unary operator'),
        (
            "$replace('a', /a/, function($m) { 1 })",
            "D3012: Attempted to replace a matched string with a non-string value",
        ),
        (
            "$replace('a', /a/, 'b', -1)",
            "D3011: Fourth argument of replace function must evaluate to a positive number",
        ),
        ("1 +", "S0207: Unexpected end of expression"),
        ("[1!2]", 'S0204: Unknown operator: "!"'),
        ("1 /* a", "S0106: Comment has no closing tag"),
        ("'\\y'", 'S0103: Unsupported escape sequence: \\"y"'),
        ("function($x)<n<n>>{1}", "S0401: Type parameters can only be applied to functions and arrays"),
        ("$error(null)", 'T0410: Argument 1 of function "error" does not match function signature'),
        ("$sum(null)", 'T0412: Argument 1 of function "sum" must be an array of "numbers"'),
        ("($f := $abs; $f('a'))", 'T0410: Argument 1 of function "f" does not match function signature'),
        ("$map(['a'], $abs)", 'T0410: Argument 1 of function "abs" does not match function signature'),
        ("1 ~> |$|{}|", "T0410: Argument 1 of function undefined does not match function signature"),
        ("sum(?)", "T1007: Attempted to partially apply a non-function. Did you mean $sum?"),
        (
            "[{'a': 2}, {'a': 'x'}]^(a)",
            'T2007: Type mismatch when comparing values 2 and "x" in order-by clause',
        ),
        ("$string({'a': 1 / 0})", "D1001: Number out of range: null"),
        ("$number('1e400')", 'D3030: Unable to cast value to a number: "1e400"'),
        ("$decodeUrl('%')", 'D3140: Malformed URL passed to $decodeUrl(): "%"'),
        ("$now('[q]')", 'D3132: Unknown component specifier "q" in date/time picture string'),
        (
            "$fromMillis(1, '[YN]')",
            "D3133: The 'name' modifier can only be applied to months and days in the date/time picture "
            'string, not "Y"',
        ),
        ("$toMillis('1', '[Y')", "D3135: No matching closing bracket ']' in date/time picture string"),
        (
            "$formatInteger(1, '1٣')",
            "D3131: In a decimal digit pattern, all digits must be from the same decimal group",
        ),
    ],
)
def test_what_an_error_says(expression, text):
    """An error has JSONata's code and message. Names and values are quoted as in JSON."""
    assert why(expression) == f"{THREW}. {text}"


def test_a_variable_renames_no_function():
    """Whatever a function is assigned to, the next evaluation knows it by its own name."""
    evaluate("($renamed := $abs; 1)", {})
    assert why("$abs('a')").startswith(f'{THREW}. T0410: Argument 1 of function "abs"')


@pytest.mark.parametrize(
    "expression",
    [
        "nope",
        "$",
        "$$",
        "$x",
        "$x + 1",
        "nope < 1",
        "$states.__class__",
        "$sum.method",
        "$string.function",
        "$partition([1], 0)",
        "$partition([1], -0.5)",
        "$partition([], 1)",
        "$partition($x, 1)",
        "$range(1, 2)",
        "$range(1, 5, -1)",
        "$hash('a')",
    ],
)
def test_nothing_is_an_error(expression):
    """There is no input document, and nothing of Python behind a name."""
    assert why(expression) == UNDEFINED


@pytest.mark.parametrize("expression", ["[1..873783]", "$sum([1..873783])", "$range(1, 360146, 1)"])
def test_an_array_has_a_largest_length(expression):
    """A longer array is refused. `test_what_an_expression_gives` has the longest ones."""
    assert why(expression) == MEMORY


@pytest.mark.parametrize("expression", ["$sum", "function($x) { $x }", "/a/", "[$sum]", "{'a': $uuid}"])
def test_a_function_is_no_result(expression):
    """A function cannot be returned, neither alone nor inside another value."""
    assert why(expression) == "returned an unsupported result type."


DOUBLED = "($f := function($x, $n) {{ $n = 0 ? $x : $f({}, $n - 1) }}; {})"
SHARED = "{'a': $x, 'b': $x}"


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("[1..90000]", MEMORY),
        ("$sum([1..90000])", MEMORY),
        ("$pad('', 1000000000)", MEMORY),
        ("$join($map([1..1000], function($i) { 'a' }), $pad('', 1000000))", MEMORY),
        ("$replace($pad('', 10000, 'a'), 'a', $pad('', 10000))", MEMORY),
        ("$replace($pad('', 10000, 'a'), /a/, $pad('', 10000))", MEMORY),
        (DOUBLED.format("$x & $x", "$length($f('a', 23))"), MEMORY),
        (DOUBLED.format(SHARED, "$f('a', 40)"), MEMORY),
        (DOUBLED.format(SHARED, "$string($f('a', 40))"), MEMORY),
        ("$map([1..1000], function($i) { $pad('', 100000) })", MEMORY),
        (DOUBLED.format(SHARED, "$f('a', 40) = $f('a', 40)"), TIME),
        (DOUBLED.format(SHARED, "$f('a', 40) in [$f('a', 40)]"), TIME),
        ("($f := function() { $f() }; $f())", TIME),
        ("$map([1..80000], function($i) { $i * 2 })", TIME),
        ("+".join(["1"] * 101), DEPTH + "tail-recursive"),
        ("(1; 2; 3; " + "+".join(["1"] * 101) + ")", DEPTH + "tail-recursive"),
        ("(" * 2000 + "1" + ")" * 2000, DEPTH + "tail-recursive"),
        ("($f := function($n) { 1 + $f($n) }; $f(1))", DEPTH + "tail-recursive"),
        ("($__evaluate_entry := nope; $__evaluate_exit := nope; $f := function() { $f() }; $f())", TIME),
    ],
)
def test_a_limit_ends_an_evaluation(monkeypatch, expression, text):
    """An evaluation ends if it needs too much memory or time, or goes too deep. Nothing switches this off."""
    monkeypatch.setattr("states_language.jsonata._BYTES", 700_000)
    monkeypatch.setattr("states_language.jsonata._ALL_BYTES", 7_000_000)
    steps = 200 if text == TIME else 100_000
    assert why(expression, outside=Outside(guard=lambda: StepGuard(steps))) == text


class Impatient(StepGuard):
    """A guard that has no time for a regular expression."""

    def matches(self, pattern, flags, text):
        raise TimeoutError


def test_a_guard_ends_a_regular_expression_that_may_never_end():
    """A match that may take long is left to the guard; a short one is not."""
    impatient = Outside(guard=Impatient)
    assert why("$contains($pad('', 60, 'a') & 'b', /^(a|aa)+$/)", outside=impatient) == TIME
    assert evaluate("$contains('aab', /^(a|aa)+b$/)", {}, outside=impatient)


def test_time_chance_and_ids_come_from_outside():
    """Without the machine's clock and without randomness, the same call gives the same values."""
    outside = Outside(86_400.5, Random(7), lambda: "made")
    assert evaluate("[$now(), $millis(), $uuid()]", {}, outside=outside) == [
        "1970-01-02T00:00:00.500Z",
        86_400_500,
        "made",
    ]
    assert evaluate("$random()", {}, outside=outside) == Random(7).random()
    shuffled = [*range(9)]
    Random(8).shuffle(shuffled)
    assert evaluate("$shuffle([0..8])", {}, outside=Outside(random=Random(8))) == shuffled
    assert evaluate("$toMillis('13:45', '[H]:[m]') ~> $fromMillis()", {}, outside=outside) == (
        "1970-01-02T13:45:00.000Z"
    )


def test_threads_do_not_disturb_each_other():
    """Each evaluation has its own bindings and functions."""
    down = "$f := function($n) { $n <= 1 ? $x : $f($n - 1) }"
    expression = f"({down}; [$f(20), $map([1..20], function($i) {{ $i * $x }})])"
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda x: evaluate(expression, {"x": x}), range(200)))
    assert results == [[x, *(n * x for n in range(1, 21))] for x in range(200)]

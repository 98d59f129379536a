"""The items of a Distributed Map: what is read from a text, and how items become batches."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states_language.items import DELIMITERS, ItemsError, batches, read_items

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=5,
)
# csv of Python writes no NUL, and another line break than AWS could read would be a part of a value.
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=5)


@given(st.lists(VALUES), st.none() | st.integers(0, 5))
def test_json_and_json_lines_have_the_same_items(items, most):
    """A list, and one item in each line, are the same items. The first MaxItems are read."""
    lines = "".join(f"{json.dumps(item)}\n" for item in items)
    assert read_items(json.dumps(items), {"InputType": "JSON"}, most) == items[:most]
    assert read_items(lines, {"InputType": "JSONL"}, most) == items[:most]


@given(
    st.sampled_from(sorted(DELIMITERS)),
    st.lists(CELLS.filter(bool), min_size=2, max_size=30, unique=True),
    st.lists(st.lists(CELLS, min_size=2), max_size=4),
    st.booleans(),
)
def test_each_row_has_the_names_of_the_header(delimiter, names, rows, in_first_row):
    """A header stands in the first row or in the definition. Missing values are empty, more are left out."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=DELIMITERS[delimiter], lineterminator="\n")
    writer.writerows([names, *rows] if in_first_row else rows)
    config = {"InputType": "CSV", "CSVDelimiter": delimiter}
    config |= (
        {"CSVHeaderLocation": "FIRST_ROW"}
        if in_first_row
        else {
            "CSVHeaderLocation": "GIVEN",
            "CSVHeaders": names,
        }
    )
    expected = [dict(zip(names, row + [""] * len(names), strict=False)) for row in rows]
    assert read_items(file.getvalue(), config) == expected


def test_columns_have_the_order_of_java():
    """AWS writes a row in the order of Java's hash table, which is not the order of the file."""
    text = "id,name,Aa,BB\n1,a,x,y\n"
    (row,) = read_items(text, {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"})
    assert list(row) == ["Aa", "BB", "name", "id"]


def test_an_object_has_an_item_for_each_pair():
    """A file with an object is read as its keys and values, as measured on AWS in 2026."""
    assert read_items('{"a": 1, "b": [2]}', {"InputType": "JSON"}) == [
        {"Key": "a", "Value": 1},
        {"Key": "b", "Value": [2]},
    ]


@pytest.mark.parametrize(
    ("text", "config", "cause"),
    [
        ("a,a\n1,2", {"InputType": "CSV"}, "CSV headers cannot contain duplicates."),
        ('"a"', {"InputType": "JSON"}, "Attempting to map over non-iterable node."),
        ("[[1]]", {"InputType": "JSON", "ItemsPointer": "/x"}, "ItemsPointer does not match any valid path"),
        ("[", {"InputType": "JSON"}, "The items are not valid JSON"),
        ("[NaN]", {"InputType": "JSON"}, "The items are not valid JSON"),
        ("1\n{", {"InputType": "JSONL"}, "The items are not valid JSON"),
    ],
)
def test_texts_without_items(text, config, cause):
    """The cause is AWS's, as far as others recorded it."""
    with pytest.raises(ItemsError, match=cause):
        read_items(text, config)


def test_the_csv_of_others_stays():
    """A process that reads longer fields of CSV than we still does so."""
    before = csv.field_size_limit(10**6)
    try:
        read_items("a", {"InputType": "CSV"})
        assert csv.field_size_limit() == 10**6
    finally:
        csv.field_size_limit(before)


def test_items_inside_a_file():
    """ItemsPointer leads to the list."""
    text = json.dumps({"a/b": [{"items": [1, 2]}]})
    assert read_items(text, {"InputType": "JSON", "ItemsPointer": "/a~1b/0/items"}) == [1, 2]


@given(st.lists(VALUES), st.integers(0, 4), st.integers(0, 60), st.none() | st.just({"a": 1}))
def test_batches_have_all_items_within_the_limits(items, most_items, most_bytes, common):
    """No item is lost, the order stays, and only a batch of one item may be larger than its limit."""
    made = list(batches(items, most_items=most_items, most_bytes=most_bytes, common=common))
    assert [item for batch in made for item in batch["Items"]] == items
    for number, batch in enumerate(made):
        count = len(batch["Items"])
        assert (1 <= count <= (most_items or count), batch.get("BatchInput")) == (True, common)
        size = len(json.dumps(batch, separators=(",", ":"), ensure_ascii=False).encode(errors="replace"))
        assert count == 1 or size <= (most_bytes or 262_144)
        if number + 1 < len(made) and count != most_items:  # the next item has no room
            more = batch | {"Items": [*batch["Items"], made[number + 1]["Items"][0]]}
            size = len(json.dumps(more, separators=(",", ":"), ensure_ascii=False).encode(errors="replace"))
            assert size > (most_bytes or 262_144)


@pytest.mark.parametrize(("more", "counts"), [(0, [3]), (-1, [2, 1])])
def test_a_batch_is_full_to_the_last_byte(more, counts):
    """Three items of `{"Items":["a","b","c"]}` fit into as many bytes, and not into one byte less."""
    made = batches(["a", "b", "c"], most_bytes=len('{"Items":["a","b","c"]}') + more)
    assert [len(batch["Items"]) for batch in made] == counts

"""The items of a Map, and the input of each iteration: what both of its modes share."""

from typing import TYPE_CHECKING

from states_language.execution import Frame, Json
from states_language.expressions import is_expression
from states_language.failures import evaluation, runtime
from states_language.fields import View
from states_language.items import Pair
from states_language.outputs import effective_input
from states_language.structure import is_distributed
from states_language.values import compact

if TYPE_CHECKING:
    from states_language.interpreter import Step


def item_shown(number: int, item: Json) -> dict[str, Json]:
    """What the context object says of an item."""
    return {"Index": number, **(dict(item) if isinstance(item, Pair) else {"Value": item})}


def items_of(view: View, data: Json) -> list[Json]:
    """The items of a Map without an ItemReader.

    Raises:
        Failure: There is no list.
    """
    state, distributed = view.state, is_distributed(view.state)
    if view.is_jsonpath:
        found = view.path("ItemsPath", data) if "ItemsPath" in state else data
    else:
        found = view.expression(state["Items"], "Items") if "Items" in state else data
    if isinstance(found, dict) and distributed:
        return [Pair(Key=key, Value=value) for key, value in found.items()]
    if isinstance(found, list):
        return found
    if view.is_jsonpath:
        path = state.get("ItemsPath", "$").replace("$$", "$", 1)
        raise runtime(f'Reference path "{path}" must point to array.')
    if is_expression(state.get("Items")):
        raise view.must_be_array(found, "Items", state["Items"])
    raise evaluation(f"Map state input must be an array but was: {compact(found)}", None)


def selected(step: "Step", frame: Frame, item: Json, shown: dict[str, Json]) -> Json:
    """The input of an iteration: the item, or what ItemSelector makes of it."""
    template = frame.state.get("ItemSelector", frame.state.get("Parameters"))
    if template is None:
        return item
    view = step.view(frame)
    view.context = {**view.context, **shown}
    if view.is_jsonpath:
        return view.template(template, effective_input(view))
    return view.expression(template, "ItemSelector")

"""How recipes are found, made up and mended; none of this needs TensorFlow."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from tflint_layers.confirm import found, lessons, recipe
from tflint_layers.confirm.draft import Draft
from tflint_layers.confirm.elsewhere import Elsewhere
from tflint_layers.confirm.inputs import Call, with_rank
from tflint_layers.confirm.lessons import Knowledge, Mishap
from tflint_layers.confirm.parameters import Signature
from tflint_layers.confirm.search import Search
from tflint_layers.confirm.values import Several, Tensor


def texts(code: str, layer: str = "L") -> list[str]:
    return [str(shown) for shown in found.recipes_in(found.code_of_file(ast.parse(code)), layer)]


def test_recipes_found_in_a_file() -> None:
    code = "size = 10\nx = tf.ones((2, 3))\nlayer = L(size, rate=0.1)\ny = layer(x)\nSequential([L(4)])"
    assert texts(code) == ["L(10, rate=0.1)(tf.ones((2, 3)))", "L(10, rate=0.1)()", "L(4)()"]


def test_names_of_one_function_are_not_those_of_another() -> None:
    code = "def f():\n    n = 3\n    return L(n)\ndef g(n):\n    return L(n)\nclass M:\n    def m(self): L(self.n)"
    assert texts(code) == ["L(3)()"]


def test_recipes_of_test_suites_that_take_the_class() -> None:
    code = (
        "run(L, init_kwargs={'units': 3}, input_shape=(2, 5), input_dtype='int32')\nrun(L, init_kwargs={'a': unknown})"
    )
    assert texts(code)[0] == "L(units=3)(tf.random.uniform([2, 5], maxval=4, dtype=tf.int32))"
    assert not any("unknown" in text for text in texts(code))


def test_recipes_in_the_files_of_a_project(tmp_path: Path) -> None:
    package, tests = tmp_path / "shop", tmp_path / "tests"
    package.mkdir()
    tests.mkdir()
    (package / "__init__.py").touch()
    (package / "layers.py").write_text("class Till: pass\n")
    (tests / "test_till.py").write_text(
        "from math import pi\nfrom shop.layers import Till\ndef test_it():\n    assert Till(pi)(np.ones((2, 3)))\n"
    )
    complete, build = Elsewhere().of(str(package / "layers.py"), "Till")
    shown = Draft.shown(complete).recipe()
    assert str(shown) == "Till(pi)(np.ones((2, 3)))"
    assert (shown.imports, shown.origin) == (("from math import pi",), "tests")
    assert build["inputs"] == []


def test_recipes_in_documentation() -> None:
    text = "A layer.\n\n>>> x = np.ones((2, 3))\n>>> y = keras.layers.L(4)(x)\n\n```python\nL(5)(tf.zeros([1]))\n```\n"
    home = found.code_of_file(ast.parse(""))
    shown = [str(r) for code in found.code_of_documentation(text, home, "keras") for r in found.recipes_in(code, "L")]
    assert shown == ["L(4)(np.ones((2, 3)))", "L(4)()", "L(5)(tf.zeros([1]))", "L(5)()"]


def test_shapes_found_in_a_file() -> None:
    tree = ast.parse("Input(shape=(32, 3))\nDense(1, input_shape=(None, 8))\nkeras.Input((5,))\nx.reshape(shape=n)")
    assert set(found.shapes_in_file(tree)) == {(4, 5), (4, 32, 3), (4, 6, 8)}


def test_a_recipe_from_settings() -> None:
    known = recipe.from_settings("L", {"init": "units=4", "inputs": [{"shape": [2, 3]}], "call": {"training": True}})
    assert str(known) == "L(units=4)(tf.random.uniform([2, 3]), training=True)"
    assert {known: 1}


# --- made up


@dataclass
class Config:
    width: int
    mode: Literal["mean", "sum"]


class Documented:
    """A layer.

    Args:
        thing: list of integers. Sizes.
        kind: string, one of `"left"` or `"right"`.
        `other`: integer, the number of others.
    """

    def __init__(
        self, thing: Any, kind: Any, other: Any, config: Config, *, rate: Any, used: Any, flag: bool = True
    ) -> None:
        for item in used:
            print(item, self.flag)


def required(target: Any) -> dict[str, str]:
    signature = Signature.of(target, {"Config": Config, "Literal": Literal, "Any": Any})
    return {argument.name: argument.options[0] for argument in signature.required()}


def test_arguments_from_annotations_use_documentation_and_names() -> None:
    assert required(Documented) == {
        "thing": "[8, 8]", "kind": "'left'", "other": "8", "config": "Config(width=8, mode='mean')", "rate": "0.5",
        "used": "[8, 8]",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("units", "8"), ("num_heads", "2"), ("kernel_size", "3"), ("dropout_rate", "0.5"), ("activation", "'relu'"),
        ("kernel_initializer", "'ones'"), ("use_bias", "True"), ("vocabulary_size", "16"), ("num_layers", "2"),
        ("cell", "tf.keras.layers.LSTMCell(8)"), ("encoder", "tf.keras.layers.Dense(8)"), ("hidden_sizes", "[8, 8]"),
        ("output_shape", "(8,)"), ("rank", "2"), ("mystery", "8"),
    ],
)  # fmt: skip
def test_arguments_from_names(name: str, value: str) -> None:
    function: dict[str, Any] = {}
    exec(f"def make({name}): ...", function)
    assert required(function["make"]) == {name: value}


def first_inputs(function: Any) -> list[str]:
    return [str(value) for _, value in next(Call.of(function).drafts([]))]


def test_inputs_follow_names_and_the_way_they_are_taken_apart() -> None:
    def ids(token_ids, training=None): ...  # type: ignore[no-untyped-def]
    def pair(inputs):  # type: ignore[no-untyped-def]
        x, a = inputs
        return x @ a

    def keyed(inputs):  # type: ignore[no-untyped-def]
        return inputs["image"] + inputs["mask"]

    def counted(inputs):  # type: ignore[no-untyped-def]
        return sum(inputs) / len(inputs)

    def tensor_counted(inputs):  # type: ignore[no-untyped-def]
        return inputs.shape, len(inputs)

    assert first_inputs(ids) == ["tf.random.uniform([4, 6], maxval=4, dtype=tf.int32)"]
    assert first_inputs(pair) == ["[tf.random.uniform([4, 8]), tf.random.uniform([4, 4])]"]
    assert first_inputs(keyed)[0].startswith("{'image': tf.random.uniform([4, 8]), 'mask': tf.ones(")
    assert first_inputs(counted) == ["[tf.random.uniform([4, 8]), tf.random.uniform([4, 8])]"]
    assert first_inputs(tensor_counted) == ["tf.random.uniform([4, 8])"]


def test_inputs_as_the_docstring_describes_them() -> None:
    def call(inputs):  # type: ignore[no-untyped-def]
        return unpack(inputs)  # type: ignore[name-defined]  # noqa: F821

    text = (
        "Pools.\n\n**Input**\n\n- Features of shape `([batch], n_nodes, channels)`;\n- Matrix of shape"
        " `([batch], n_nodes, n_nodes)`;\n- Graph IDs of shape `(n_nodes, )` (only in disjoint mode);\n\n**Output**\n\n"
        "- Features of shape `(1, 2)`.\n"
    )
    drafts = Call.of(call, documentation=text).drafts([])
    ids = "tf.random.uniform([6], maxval=4, dtype=tf.int32)"
    assert [str(value) for _, value in next(drafts)] == [
        f"[tf.random.uniform([6, 8]), tf.random.uniform([6, 6]), {ids}]"
    ]
    assert [str(value) for _, value in next(drafts)] == ["[tf.random.uniform([6, 8]), tf.random.uniform([6, 6])]"]


@pytest.mark.parametrize(
    ("shape", "rank", "result"), [((4, 8), 3, (4, 6, 8)), ((4, 6, 8), 2, (4, 8)), ((4, 8), 1, (4,)), ((4,), 2, (4, 8))]
)
def test_shapes_of_another_rank(shape: tuple[int, ...], rank: int, result: tuple[int, ...]) -> None:
    assert with_rank(shape, rank) == result


# --- mended


def lessons_of(
    message: str, *code: str, built: bool = True, target: Any = None, kind: str = "ValueError"
) -> Iterator[str]:
    signature = Signature.of(target, {}) if target else Signature({})
    draft = Draft("L", tuple(signature.required()), inputs=(("inputs", Tensor((4, 8))),))
    mishap = Mishap(kind, message, code, built)
    return (str(better.recipe()) for better in lessons.learn(draft, mishap, Knowledge(signature, Call(("inputs",)))))


@pytest.mark.parametrize(
    ("message", "better"),
    [
        ("expected axis -1 of input shape to have value 5, but received", "tf.random.uniform([4, 5])"),
        ("Input 0 of layer 'x' is incompatible: expected min_ndim=4, found ndim=2", "tf.random.uniform([4, 8, 8, 8])"),
        ("In[0]: [4,8], In[1]: [5,7]", "tf.random.uniform([4, 5])"),
        ("not enough values to unpack (expected 3, got 2)", "tf.random.uniform([4, 6, 8])"),
        ("Cast float to string is not supported", "tf.as_string(tf.random.uniform([4, 8], maxval=4, dtype=tf.int32))"),
        ("expects 2 input(s), but it received 1", "[tf.random.uniform([4, 8]), tf.random.uniform([4, 8])]"),
        ("'EagerTensor' object has no attribute 'indices'", "tf.sparse.from_dense(tf.random.uniform([4, 8]))"),
        ("indices[0,3] = 3 is not in [0, 2)", "L()(tf.random.uniform([4, 8]))"),
        ("received kernel of shape (2, 2, 6, 8) and input of shape (4, 6)", "L()(tf.random.uniform([4, 8, 8, 8]))"),
    ],
)
def test_inputs_are_learned_from_a_message(message: str, better: str) -> None:
    assert better in next(lessons_of(message, "batch, steps, size = x.shape"))


def test_missing_inputs_and_keys_are_added() -> None:
    missing = "call() missing 1 required positional argument: 'mask'"
    assert next(lessons_of(missing)).endswith("mask=tf.ones([4, 8], dtype=tf.bool))")
    assert next(lessons_of("'image'", kind="KeyError")) == "L()({'image': tf.random.uniform([4, 8])})"


def test_the_argument_that_a_failing_line_names_gets_another_value() -> None:
    def make(mystery, units): ...  # type: ignore[no-untyped-def]

    failing = "for size in self.mystery:"
    assert next(lessons_of("'int' object is not iterable", failing, built=False, target=make)).startswith(
        "L(mystery=[8, 8], units=8)"
    )
    chosen = next(lessons_of("`mystery` must be one of 'red', 'blue'. Received: 8", built=False, target=make))
    assert chosen.startswith("L(mystery='red', units=8)")


def test_nothing_is_learned_from_nothing() -> None:
    assert list(lessons_of("something else")) == []


def test_the_search_tries_what_it_learned_first_and_nothing_twice() -> None:
    bases = [Draft("L()", inputs=(("x", Tensor(shape)),)) for shape in ((4, 8), (4, 8), (4, 3), (4, 9))]
    search = Search([(0.0, iter(bases))], Knowledge(Signature({}), Call(("x",))), seconds=60)
    tried = []
    for draft in search:
        tried.append(draft.first_tensor())
        search.failed(draft, Mishap("ValueError", "expected axis -1 of input shape to have value 5", (), True))
    assert [tensor.shape for tensor in tried if tensor] == [(4, 8), (4, 5), (4, 3), (4, 9)]


def test_values_as_expressions() -> None:
    assert str(Several((Tensor((2,)),), kind="tuple")) == "(tf.random.uniform([2]),)"
    assert str(Several(("1",), keys=("a",))) == "{'a': 1}"

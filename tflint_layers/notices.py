"""What the tool reports without a rule: about files, about comments, and about whole layers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Notice:
    """A kind of finding that is selected, explained and listed like a rule, but does not look at traced code."""

    code: str
    name: str
    documentation: str
    fixable: bool = False

    @property
    def summary(self) -> str:
        """The first line of the documentation."""
        return self.documentation.strip().partition("\n")[0]


FILE_NOT_READABLE = Notice(
    "TFL900",
    "file-not-readable",
    """
A file was not linted because it cannot be read.

## What it does

Reports a file that cannot be opened, decoded or parsed, at the place where reading stopped. Of a notebook it reports
each cell that is no Python, and the other cells are linted.

## Why is this bad

Nothing in the file was checked, so that silence about it would be taken for praise. It is therefore reported
whatever is selected, unless `TFL900` is ignored in full.

## Keras 2 and Keras 3

The same under both.

## Example

```text
x = (
```

## Fix safety

There is no fix.

## How TensorFlow confirms it

It does not: the file cannot be run either.
""",
)

UNUSED_SUPPRESSION = Notice(
    "TFL901",
    "unused-suppression",
    """
A `# noqa` comment names a rule that has nothing to say on its line.

## What it does

Reports the codes of this linter in a `# noqa` comment that hide no finding. Judged are codes of rules that are
selected, and prefixes such as `TFL2` if all rules behind them are; a bare `# noqa` and the codes of other linters
never are.

## Why is this bad

The comment says that something is wrong here and accepted, which is no longer true, and it will hide the next
mistake that somebody makes on the line.

## Keras 2 and Keras 3

Some rules hold for one Keras only: a comment that either of them needs is not reported.

## Example

```python
class Scale(keras.layers.Layer):
    def call(self, inputs):
        return inputs * 2  # noqa: TFL101
```

Use instead:

```python
class Scale(keras.layers.Layer):
    def call(self, inputs):
        return inputs * 2
```

## Fix safety

Safe: only the code is removed, or the comment if it names no other; what stands before or after it stays.

## How TensorFlow confirms it

It does not need to: comments are not run.
""",
    fixable=True,
)

LAYER_DOES_NOT_TRACE = Notice(
    "TFL902",
    "layer-does-not-trace",
    """
A layer runs eagerly, but tracing it raises an exception that no rule foresaw.

## What it does

With `--trace-all`, each layer and model of the linted files is built and run by real TensorFlow, eagerly and as a
graph. A layer for which only the graph fails is reported at the line that raises, unless another finding is about
that line.

## Why is this bad

`fit`, `predict` and saving the model trace the layer, and will raise the same exception.

## Keras 2 and Keras 3

Keras 2 converts `call` with AutoGraph and traces code that Keras 3 cannot trace. The layer is run under the Keras
that its file is for, or that `--keras` names.

## Example

```python
class Pick(keras.layers.Layer):
    def call(self, inputs):
        return self.tables[inputs.shape[0]](inputs)
```

## Fix safety

There is no fix.

## How TensorFlow confirms it

It is what TensorFlow said: the exception is quoted, and the recipe repeats it.
""",
)

NOTICES = {notice.code: notice for notice in (FILE_NOT_READABLE, UNUSED_SUPPRESSION, LAYER_DOES_NOT_TRACE)}

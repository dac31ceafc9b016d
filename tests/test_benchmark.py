"""What --benchmark measures. No test asserts a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tflint_layers.confirm import trace_layer
from tflint_layers.document import Document
from tflint_layers.report.layers import TracedLayer, as_text

LSTM = Path(__file__).parent.parent / "fixtures" / "benchmark" / "custom_lstm.py"


@pytest.mark.tensorflow
def test_a_call_and_a_training_step_are_measured(keras: int) -> None:
    source = LSTM.read_bytes().replace(b"[32, 30, 64]", b"[2, 3, 4]").replace(b"CustomLSTM(64)", b"CustomLSTM(4)")
    result = trace_layer(source, str(LSTM), "CustomLSTM", keras, benchmark=True, timeout=60.0)
    assert result.status == "traces", result.because
    times = [result.eager_ms, result.graph_ms, result.eager_step_ms, result.graph_step_ms]
    assert all(time is not None and time > 0 for time in times)


@pytest.mark.tensorflow
def test_without_weights_there_is_no_training_step(tmp_path: Path) -> None:
    source = (
        b"import keras\n\n\nclass Double(keras.layers.Layer):\n    def call(self, inputs):\n        return inputs * 2\n"
    )
    result = trace_layer(source, str(tmp_path / "layer.py"), "Double", benchmark=True, timeout=60.0)
    assert result.eager_ms is not None
    assert result.eager_step_ms is None


def test_times_are_told_with_their_ratios() -> None:
    layer = TracedLayer("a.py", 1, "A", "traces", "so", None, 3, 2.0, 0.5, 9.0, 3.0)
    text = as_text([layer], {"a.py": Document.of(b"x = 1\n", "a.py")}, lambda text, color: text)
    assert text == (
        "a.py:1: A: traces: so (eager 2.000 ms, graph 0.500 ms, 4.00x;"
        " training step eager 9.000 ms, graph 3.000 ms, 3.00x)\n"
    )

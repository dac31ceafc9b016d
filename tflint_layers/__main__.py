"""``python -m tflint_layers``."""

from tflint_layers.cli import main

if __name__ == "__main__":
    main(prog_name="tflint-layers")

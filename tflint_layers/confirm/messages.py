"""What error messages of TensorFlow, Keras and Python ask for: patterns only. Standard library only."""

from __future__ import annotations

import re

from tflint_layers.confirm.parameters import CELL, CONVOLUTION, FUNCTION, LAYER, RECURRENT


def _any_of(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


# The rank that an input should have.
RANK = _any_of(
    r"expected (?:min_|max_)?ndim=(\d+)",
    r"[Ee]xpected(?: a| an)?(?: input)?(?: tensor)?(?: with| of)? rank[ =-]?(\d+)",
    r"(?:must be|be a|expected|as) (?:a |an )?(?:rank |rank-)?(\d)[ -]?(?:D|dimensional|dimensions)\b",
    r"must (?:be at least|be|have) rank (?:>= ?|at least )?(\d)",
    r"(?:be of|at least) rank (\d)",
    r"rank (?:must be|at least) (\d)",
    r"must be (?:at least )?rank (\d)",
    r"ndims must be >= (\d)",
    r"to have rank (\d)",
)
KERNEL = re.compile(r"kernel of shape \(([^)]*)\)")
UNSORTED = re.compile("is not sorted")
VECTOR = re.compile("should be a vector")
LIST_OF_SHAPES = _any_of("is not subscriptable", "is not iterable", r"has no len\(\)", "cannot unpack non-iter")
UNPACKED = _any_of(
    r"not enough values to unpack \(expected (?:at least )?(\d+)", r"too many values to unpack \(expected (\d+)"
)
ONE_INPUT = re.compile(r"Input \d+ (?:of|with)")
RANK_TOO_LOW = _any_of(
    r"out of range", r"list assignment index", r"out of bounds", r"not in range", r"[Aa]xis", r"rank", r"dimension",
    r"must be at least", r"slice",
)  # fmt: skip

# The last size that an input should have.
LAST_SIZE = tuple(
    re.compile(pattern)
    for pattern in (
        r"expected axis -?\d+ of input shape to have value (\d+)",
        r"expected shape=\(None, (?:\d+, |None, )*(\d+)\)",
        r"In\[0\]: \[[\d,]+\], In\[1\]: \[(\d+),",
        r"Incompatible shapes: \[[\d,]+\] vs\. \[(?:\d+,)*(\d+)\]",
        r"Dimensions must be equal, but are \d+ and (\d+)",
        r"required broadcastable shapes.*\[(?:\d+,)*(\d+)\]",
        r"(?:last|channel|feature)\w* (?:dimension|axis|dim)\D{1,40}?(\d+)",
        r"\((\d+)\) cannot be more than the number of channels",
        r"[Ee]xpected (?:input |last )?(?:dim\w*|channels|size|features)\D{0,20}(\d+)",
    )
)
WHOLE_SHAPE = re.compile(r"expected shape=\(([^)]*)\)")
PRODUCT = re.compile(r"In\[0\]: \[([\d,]+)\], In\[1\]: \[([\d,]+)\]")
ELEMENTS = re.compile(r"a tensor with (\d+) values, but the requested shape (?:has|requires a multiple of) (\d+)")
CHOICE = _any_of(
    "one of", "either", "must be", "should be", "[Ss]upported", "[Vv]alid", "allowed", "[Ee]xpected", "[Uu]nknown"
)
ABOUT_SIZES = _any_of(
    "shape", "dimension", "size", "divisible", "multiple", "incompatible", "broadcast", "length", "channel", "elements"
)

# The type that an input should have.
TYPES = tuple(
    (_any_of(*patterns), dtype)
    for dtype, patterns in (
        (
            "string",
            (
                r"[Cc]ast \w+ to string",
                r"to string is not supported",
                r"DT_STRING",
                r"should be string",
                r"must be strings?",
                r"expected string",
            ),
        ),
        (
            "float32",
            (
                r"[Cc]ast string to",
                r"string (?:is )?not supported",
                r"expected to be a (?:float|double) tensor but is a string",
            ),
        ),
        (
            "float32",
            (
                r"expected to be a (?:float|double|half) tensor",
                r"(?:must|should) be (?:a )?float",
                r"not in (?:the )?list of allowed values: (?:bfloat16|half|float|double)",
            ),
        ),
        (
            "int32",
            (
                r"expected to be an? int(?:32|64)",
                r"int32, int64",
                r"not in the list of allowed values: u?int",
                r"(?:must|should) be (?:an? )?int",
                r"integer",
                r"requires? int",
                r"indices must",
                r"uint8, ",
            ),
        ),
        ("bool", (r"expected to be a bool", r"must be (?:a )?bool", r"logical")),
        ("complex64", (r"complex",)),
        ("float32", (r"floating[ -]point", r"gradient", r"could not find device for node.*DT_INT")),
    )
)
TWO_TYPES = re.compile(r"expected to be an? (\w+) tensor but is an? (\w+) tensor")
IDS = re.compile(r"is not in \[0, (\d+)\)")
SPARSE = _any_of(r"SparseTensor", r"'\w*Tensor' object has no attribute '(?:indices|dense_shape|values)'")

# How many inputs there should be.
COUNT = _any_of(
    r"expects (\d+) input\(s\)",
    r"[Ee]xpected (\d+)(?: or \d+)? (?:inputs?|tensors)",
    r"list of (\d+) (?:inputs|tensors|elements)",
    r"(?:exactly|at least) (\d+) inputs?",
)
LIST = _any_of(
    r"(?:list|tuple)(?: or (?:list|tuple))? of (?:\w+ )?(?:inputs|tensors|at least)",
    r"inputs? (?:must|should) be a list",
    r"called on a list",
)
KEYS = _any_of(
    r"indices must be integers", r"only integers, slices", r"not .*indices.*str", r"string indices", "not a valid index"
)
UNSET = _any_of(
    "None", r"must be (?:given|passed|provided)", "required", "is missing", r"should be (?:passed|provided)"
)

# Values for the argument that is blamed.
KINDS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (_any_of("state_size", "RNN cell", r"\bcell\b.*(?:attribute|instance)"), (CELL, f"[{CELL}]")),
    (
        _any_of(
            "object is not iterable",
            r"has no len\(\)",
            r"(?:int|float|NoneType)' object is not subscriptable",
            "cannot unpack non-iter",
            r"must be an? (?:list|tuple|sequence|iterable)",
            r"argument after \* must be an iterable",
        ),
        ("[8, 8]", "(2, 2)", f"[{LAYER}]", "(1, 2)", "['a', 'b']", f"[{CELL}]"),
    ),
    (
        _any_of("not callable", "unsupported callable", r"must be (?:a )?(?:callable|function)", "not a callable"),
        (FUNCTION, LAYER),
    ),
    (
        _any_of(
            "expected string",
            "expected str",
            r"must be (?:a )?str",
            r"'(?:int|float|list)' object has no attribute '(?:lower|upper|split|startswith|endswith|strip|replace"
            r"|encode|format|join)'",
        ),
        ("'relu'", "'same'", "'abc,cd->abd'", "'a'"),
    ),
    (
        _any_of(
            "object has no attribute '(?:items|keys|values|get|update)'", "must be a mapping", "must be a dict"
        ),
        ("{}", "{'a': 8}"),
    ),
    (
        _any_of(
            "could not be deserialized",
            r"must be an? (?:\w+ )*`?\w*\.?(?:RNN|Layer|Model)",
            r"not an? (?:\w+ )*[Ll]ayer",
            r"`?keras\.Layer",
        ),
        (LAYER, RECURRENT, CONVOLUTION, CELL),
    ),
    (
        _any_of(
            r"has no attribute '(?:call|build|built|compute_output_shape|trainable_\w+|weights|output_shape"
            r"|input_shape|layers|get_config|units|_name|name)'"
        ),
        (LAYER, RECURRENT, CONVOLUTION, f"tf.keras.Sequential([{LAYER}])"),
    ),
    (_any_of("has no attribute '(?:shape|dtype|ndim)'"), ("tf.ones([8])", "tf.ones([8, 8])")),
    (_any_of("divisible", "divide", "multiple of", "factor of"), ("8", "2", "4", "1", "16")),
    (_any_of(r"\bodd\b"), ("3", "1")),
    (_any_of(r"\beven\b", "power of (?:2|two)"), ("2", "4", "8")),
    (
        _any_of(
            r"between 0\.? and 1",
            r"in (?:the )?(?:range|interval) ?[\[(]0",
            r"\[0(?:\.0)?, ?1(?:\.0)?[\])]",
            r"less than (?:or equal to )?1\b",
        ),
        ("0.5", "0.25"),
    ),
    (
        _any_of(
            r"(?:int|float)\(\) argument must",
            "unsupported operand type",
            "not supported between instances",
            "must be real number",
            "cannot be interpreted as an integer",
            r"must be (?:a )?(?:positive |non-negative )?(?:int|float|number|scalar)",
            "can't multiply sequence",
            "could not convert string to float",
            "can only concatenate",
            "invalid literal",
            "integer",
        ),
        ("8", "2", "0.5", "1", "3"),
    ),
    (
        _any_of(
            "positive", "greater than", "at least", "larger", "smaller", "at most", "less than", "negative dimension",
            "exceed",
        ),
        ("1", "2", "8", "16"),
    ),
)  # fmt: skip

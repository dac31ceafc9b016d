from __future__ import annotations

from pathlib import Path

import pytest

from tflint_layers.project import installed_keras, keras_of_requirements
from tflint_layers.settings import Configuration, Settings, SettingsError, path_matches, settings_of_table

RULES = {"TFL101": "numpy-method-on-tensor", "TFL201": "print-in-traced-code", "TFL900": "file-not-readable"}
PYPROJECT = Path("/project/pyproject.toml")


def configure(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pyproject.toml"
    path.write_text(text)
    return path


def test_every_key_is_read() -> None:
    settings = settings_of_table(
        {
            "select": ["TFL1"],
            "ignore": ["TFL102"],
            "extend-select": ["TFL2"],
            "per-file-ignores": {"tests/*": ["TFL201"]},
            "exclude": ["a"],
            "extend-exclude": ["b"],
            "keras": 2,
            "preview": True,
            "unfixable": ["TFL101"],
            "extend-safe-fixes": ["TFL201"],
            "python": "venv/bin/python",
            "confirm-timeout": 5,
            "confirm-memory-mb": 1000,
            "layer-bases": ["lib.Base"],
            "examples": {"m:L": {"init": "L()", "inputs": [{"shape": [2, 8]}], "call": {"training": True}}},
        },
        PYPROJECT,
    )
    assert settings == Settings(
        select=("TFL1",),
        ignore=("TFL102",),
        extend_select=("TFL2",),
        per_file_ignores=(("tests/*", ("TFL201",)),),
        exclude=("a",),
        extend_exclude=("b",),
        keras=2,
        preview=True,
        unfixable=("TFL101",),
        extend_safe_fixes=("TFL201",),
        python="/project/venv/bin/python",
        confirm_timeout=5.0,
        confirm_memory_mb=1000,
        layer_bases=("lib.Base",),
        examples={"m:L": {"init": "L()", "inputs": [{"shape": [2, 8]}], "call": {"training": True}}},
        root=Path("/project"),
    )


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"selct": []}, "has no key `selct` (did you mean `select`?)"),
        ({"select": "TFL101"}, "`select` must be a list of strings, not 'TFL101'"),
        ({"ignore": [1]}, "`ignore` must be a list of strings"),
        ({"keras": 4}, '`keras` must be "auto", 2, 3 or "2,3", not 4'),
        ({"keras": True}, '`keras` must be "auto", 2, 3 or "2,3", not True'),
        ({"preview": "yes"}, "`preview` must be true or false"),
        ({"confirm-timeout": 0}, "`confirm-timeout` must be a positive number of seconds"),
        ({"confirm-memory-mb": 0.5}, "`confirm-memory-mb` must be a positive whole number"),
        ({"python": ""}, "`python` must be the path of an interpreter"),
        ({"per-file-ignores": {"a.py": "TFL1"}}, "`per-file-ignores` must be a table of lists of strings"),
        ({"examples": {"m:L": {"inits": "L()"}}}, "`m:L` has no key `inits` (did you mean `init`?)"),
        ({"examples": {"m:L": {"inputs": "x"}}}, "`inputs` of `m:L` must be a list"),
    ],
)
def test_wrong_configuration_is_explained(table: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_of_table(table, PYPROJECT)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(PYPROJECT))


@pytest.mark.parametrize(
    ("select", "ignore", "selected"),
    [
        (("ALL",), (), True),
        (("TFL1",), (), True),
        (("TFL2",), (), False),
        (("numpy-method-on-tensor",), (), True),
        (("ALL",), ("TFL1",), False),
        (("TFL101",), ("TFL1",), True),
        (("TFL1",), ("TFL101",), False),
        (("TFL101",), ("TFL101",), False),
        (("numpy-method-on-tensor",), ("TFL1",), True),
        (("ALL",), ("ALL",), False),
        ((), (), False),
    ],
)
def test_the_longest_selector_wins(select: tuple[str, ...], ignore: tuple[str, ...], selected: bool) -> None:
    assert Settings(select=select, ignore=ignore).selects("TFL101", "numpy-method-on-tensor") is selected


@pytest.mark.parametrize(
    ("settings", "selected"),
    [
        (Settings(), False),
        (Settings(preview=True), True),
        (Settings(select=("TFL2",)), False),
        (Settings(extend_select=("TFL208",)), True),
        (Settings(select=("eager-failure-swallowed",)), True),
    ],
)
def test_preview_rules_are_asked_for(settings: Settings, selected: bool) -> None:
    assert settings.selects("TFL208", "eager-failure-swallowed", preview_rule=True) is selected


def test_unreadable_files_are_reported_whatever_is_selected() -> None:
    assert Settings(select=("TFL101",)).selects("TFL900", "file-not-readable")
    assert not Settings(ignore=("TFL900",)).selects("TFL900", "file-not-readable")


def test_the_command_line_outranks_the_file() -> None:
    settings = Settings(select=("TFL101",), ignore=("TFL2",))

    def selects(settings: Settings) -> list[bool]:
        return [settings.selects(code, name) for code, name in list(RULES.items())[:2]]

    assert selects(settings) == [True, False]
    assert selects(settings.with_selection(("ALL",), (), ())) == [True, True]
    assert selects(settings.with_selection(None, ("TFL201",), ())) == [True, True]
    assert selects(settings.with_selection(None, (), ("TFL1",))) == [False, False]


def test_an_unknown_selector_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"ignore: no rule is called `TFL110`.*did you mean `TFL101`"):
        Settings(ignore=("TFL110",)).check_selectors(RULES)
    Settings(select=("TFL1", "print-in-traced-code", "ALL")).check_selectors(RULES)


def test_per_file_ignores_win() -> None:
    settings = Settings(select=("TFL101",), per_file_ignores=(("tests/*", ("TFL1",)),), root=Path("/project"))
    assert not settings.for_file("/project/tests/a.py").selects("TFL101", RULES["TFL101"])
    assert settings.for_file("/project/a.py").selects("TFL101", RULES["TFL101"])


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("a.py", "pkg/a.py", True),
        ("pkg", "pkg/sub/a.py", True),
        ("pkg/", "pkg/sub/a.py", True),
        ("pkg/*.py", "pkg/a.py", True),
        ("**/a.py", "a.py", True),
        ("**/tests/*.py", "x/tests/a.py", True),
        ("other/*.py", "pkg/a.py", False),
    ],
)
def test_patterns(pattern: str, path: str, matches: bool) -> None:
    assert path_matches(pattern, f"/project/{path}", Path("/project")) is matches


def test_the_nearest_configuration_is_used(tmp_path: Path) -> None:
    configure(tmp_path, "[tool.tflint-layers]\nkeras = 2\n")
    configure(tmp_path / "no_table", "[project]\nname = 'x'\n")
    configure(tmp_path / "inner", "[tool.tflint-layers]\npreview = true\n")
    found = Configuration()
    assert found.settings_for(tmp_path / "no_table" / "a.py").keras == 2
    assert found.settings_for(tmp_path / "inner" / "a.py").preview
    assert found.settings_for(tmp_path / "inner" / "a.py").keras is None
    assert Configuration(isolated=True).settings_for(tmp_path / "a.py").keras is None
    named = Configuration(tmp_path / "pyproject.toml")
    assert named.settings_for(tmp_path / "inner" / "a.py").keras == 2


def test_broken_configuration_names_the_file(tmp_path: Path) -> None:
    path = configure(tmp_path, "[tool.tflint-layers\n")
    with pytest.raises(SettingsError, match=r"no valid TOML") as caught:
        Configuration().settings_for(tmp_path / "a.py")
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("requirements", "keras"),
    [
        (["keras>=3"], 3),
        (["keras<3"], 2),
        (["keras==2.15.0"], 2),
        (["keras==2.*"], 2),
        (["keras~=2.12"], 2),
        (["keras ^2.10"], 2),
        (["keras>=2.4"], None),
        (["Keras[extra] (>=3.1)"], 3),
        (["tf_keras"], 2),
        (["tf-keras", "keras>=3.0"], 3),
        (["tf-keras", "tensorflow"], 2),
        (["tf-keras ^2.18.0", "tensorflow ^2.18.0"], 3),
        (["tensorflow<2.16"], 2),
        (["tensorflow==2.15.1"], 2),
        (["tensorflow==2.*"], None),
        (["tensorflow>=2.16,<3"], 3),
        (["tensorflow~=2.15.0"], 2),
        (["tensorflow~=2.15"], None),
        (["tensorflow-cpu>=2.17 ; python_version > '3.9'"], 3),
        (["tensorflow!=2.15"], None),
        (["numpy<2", "# keras<3"], None),
        ([], None),
    ],
)
def test_keras_version_of_requirements(requirements: list[str], keras: int | None) -> None:
    assert keras_of_requirements(requirements) == keras


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("requirements.txt", "numpy\ntensorflow<2.16  # legacy\n"),
        ("requirements-dev.txt", "tf-keras\n"),
        ("requirements/tensorflow.txt", "tensorflow>=2.9,<2.13\n"),
        ("setup.cfg", "[options]\ninstall_requires =\n    numpy\n    tensorflow>=2.9,<2.13\n"),
        ("setup.cfg", "[options.extras_require]\ntf =\n    tf-keras%(nothing)s\n    tf-keras\n"),
        ("setup.py", "from setuptools import setup\nsetup(name='a', install_requires=['numpy', 'tensorflow==2.12'])\n"),
        ("setup.py", "import setuptools\nTF = ['keras<3']\nsetuptools.setup(extras_require={'tf': TF + ['numpy']})\n"),
        ("setup.py", "from setuptools import setup\nNEEDS = 'tf_keras\\nnumpy'\nsetup(install_requires=NEEDS)\n"),
        ("pyproject.toml", '[project]\ndependencies = ["tensorflow==2.15"]\n'),
        ("pyproject.toml", '[project.optional-dependencies]\ntf = ["keras<3"]\n'),
        ("pyproject.toml", '[tool.poetry.dependencies]\ntensorflow = "^2.10"\nkeras = {version = "<3"}\n'),
    ],
)
def test_keras_version_of_a_project(tmp_path: Path, file: str, content: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(content)
    assert Configuration().settings_for(tmp_path / "pkg" / "a.py").project_keras == 2


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("pkg/__init__.py", 'import os\n\nos.environ["TF_USE_LEGACY_KERAS"] = "1"\n'),
        ("conftest.py", "import os\n\nos.environ.setdefault('TF_USE_LEGACY_KERAS', 'True')\n"),
        ("tox.ini", "[testenv]\nsetenv = TF_USE_LEGACY_KERAS = 1\n"),
        ("train.py", 'import os\nos.environ["TF_USE_LEGACY_KERAS"] = str(1)\n'),
        ("README.md", "Run `TF_USE_LEGACY_KERAS=true python train.py`.\n"),
    ],
)
def test_a_project_that_asks_for_legacy_keras(tmp_path: Path, file: str, content: str) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / file).write_text(content)
    (tmp_path / "requirements.txt").write_text(
        "keras==3.12.0  # via tensorflow\ntensorflow==2.18.1\ntf-keras==2.18.0\n"
    )
    assert Configuration().settings_for(tmp_path / "pkg" / "a.py").project_keras == 2


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("pkg/__init__.py", '# os.environ["TF_USE_LEGACY_KERAS"] = "1"\n'),
        ("conftest.py", 'os.environ["TF_USE_LEGACY_KERAS"] = "0"\n'),
        ("train.py", 'assert os.environ.get("TF_USE_LEGACY_KERAS") != "1"\n'),
        ("pkg/other.py", 'os.environ["TF_USE_LEGACY_KERAS"] = "1"\n'),
    ],
)
def test_a_project_that_has_tf_keras_beside_keras_3(tmp_path: Path, file: str, content: str) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / file).write_text(content)
    (tmp_path / "requirements.txt").write_text("tensorflow==2.18.1\ntf-keras==2.18.0\n")
    assert Configuration().settings_for(tmp_path / "pkg" / "a.py").project_keras == 3


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("setup.py", "print 'for Python 2'\n"),
        ("setup.py", "setup(install_requires=read('requirements.in'), **options)\n"),
        ("setup.py", "A = B\nB = A\nsetup(install_requires=A)\n"),
        ("setup.cfg", "install_requires = tensorflow<2.10\n"),
    ],
)
def test_what_does_not_tell_the_keras_version(tmp_path: Path, file: str, content: str) -> None:
    (tmp_path / file).write_text(content)
    (tmp_path / ".git").mkdir()
    assert Configuration().settings_for(tmp_path / "a.py").project_keras == (installed_keras() or 3)

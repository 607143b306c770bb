"""Every kernel and rule file against the schema, its documentation, the table of codes and its fixture pair."""

from __future__ import annotations

import ast
import inspect
import itertools
from pathlib import Path

import pytest

from pytest_lse import discovery
from pytest_lse.dtypes import FORMATS
from pytest_lse.lint import ops
from pytest_lse.lint.message import dtype_of
from pytest_lse.lint.patterns import RANK
from pytest_lse.lint.template import placeholders

FIXTURES = Path(__file__).parents[1] / "fixtures" / "rules"
#: the table of codes
NAMES = {
    "LSE000": {"parse-error"},
    "LSE001": {"logsumexp"},
    "LSE002": {"softmax"},
    "LSE003": {"log-softmax"},
    "LSE004": {"logaddexp"},
    "LSE005": {"softplus"},
    "LSE006": {"sigmoid"},
    "LSE007": {"log-sigmoid"},
    "LSE008": {"logmeanexp"},
    "LSE009": {"bce-with-logits"},
    "LSE010": {"cross-entropy"},
    "LSE011": {"double-softmax"},
    "LSE012": {"global-shift"},
    "LSE013": {"log1p"},
    "LSE014": {"expm1"},
    "LSE015": {"log1mexp", "logsubexp"},
    "LSE016": {"log-epsilon"},
    "LSE017": {"dead-stabiliser"},
    "LSE018": {"log-prod"},
    "LSE019": {"logcumsumexp"},
    "LSE020": {"entropy"},
    "LSE021": {"log-exp"},
    "LSE022": {"distribution-probs"},
    "LSE100": {"unused-noqa"},
}
KERNELS = [discovery.kernel(n) for n in discovery.kernel_names()]
CODED = list(discovery.coded())
FILES = list({f.name: f for f in (*KERNELS, *CODED)}.values())
PATTERNS = [f for f in CODED if f.naive]
SECTIONS = ("What it does", "Why is this bad?", "Example", "Use instead", "Fix safety")
SPELLED = {c.framework for c in ops.columns()}
SEVERITIES = {"error", "warning", "info"}


def each(files):
    return pytest.mark.parametrize("file", files, ids=[f.name for f in files])


def tables(file):
    """Yield (name, framework -> template) of every replacement table."""
    for name, table in vars(file.module).items():
        if name == "replacement" or name.startswith("replacement_"):
            yield name, table


def variables(formula):
    code = formula.__code__
    return code.co_varnames[1 : code.co_argcount]


def test_the_codes_are_those_of_the_table():
    assert {f.code for f in CODED} == set(NAMES)


@each(CODED)
def test_the_name_is_the_tables(file):
    assert file.title in NAMES.get(file.code, {file.title})


def test_names_are_unique():
    titles = [f.title for f in CODED]
    assert len(titles) == len(set(titles))


@each(PATTERNS)
def test_the_code_has_a_rank(file):
    assert file.code in RANK or file.code not in NAMES


@each(FILES)
def test_the_documentation_has_its_sections(file):
    lines = file.doc.split("\n")
    assert lines[0].rstrip().endswith("."), "the first line is a sentence"
    assert len(lines[0]) <= 120
    found = [a for a, b in itertools.pairwise(lines) if b and set(b) == {"-"} and len(b) >= len(a) > 0]
    wanted = SECTIONS if file in PATTERNS else ("What it does", "Why is this bad")
    for section in wanted:
        assert any(f.rstrip("?") == section.rstrip("?") for f in found), section
    order = [
        SECTIONS.index(f)
        for f in (g if g.endswith("?") or g != "Why is this bad" else g + "?" for g in found)
        if f in SECTIONS
    ]
    assert order == sorted(order)


def examples(file, section):
    """Return the indented block of a section."""
    _, _, rest = file.doc.partition(f"\n{section}\n{'-' * len(section)}\n")
    block = []
    for line in rest.split("\n"):
        if line and not line.startswith("    "):
            break
        block.append(line[4:])
    return "\n".join(block).strip("\n")


@each(PATTERNS)
def test_the_examples_are_python(file):
    for section in ("Example", "Use instead"):
        code = examples(file, section)
        assert code, section
        ast.parse(code)


@each(FILES)
def test_the_file_imports_nothing(file):
    tree = ast.parse(inspect.getsource(file.module))
    assert not any(isinstance(n, ast.Import | ast.ImportFrom) for n in ast.walk(tree))


@each(FILES)
def test_the_formulas_take_the_files_arguments(file):
    for name, formula in {**file.naive, **file.stable}.items():
        names = variables(formula)
        assert formula.__code__.co_varnames[0] == "xp", name
        # Spellings for the linter alone may have further variables; what the judge evaluates has not.
        if name in ("stable", *getattr(file.module, "honest", ())):
            known = {*file.args, *file.params}
            assert set(names) <= known, name
    if file.naive and file in KERNELS:
        assert set(variables(file.naive["naive"])) <= {*file.args, *file.params}


@each(KERNELS)
def test_a_kernel_has_a_naive_form_and_a_gradient_or_a_plain_implementation(file):
    assert "naive" in file.naive
    assert file.args
    if file.stable:
        assert any(n.startswith("vjp") for n in vars(file.module))


@each(PATTERNS)
def test_replacements_parse_and_name_known_variables(file):
    known = {n for f in file.naive.values() for n in variables(f)} | {*file.args, *file.params}
    for table_name, table in tables(file):
        for framework, template in table.items():
            assert framework in SPELLED, (table_name, framework)
            ast.parse(template, mode="eval")
            unknown = set(placeholders(template)) - known - {"max", "min", "abs", "list"}
            assert not unknown, (table_name, framework, unknown)


@each(PATTERNS)
def test_replacements_call_what_the_op_table_knows(file):
    for table_name, table in tables(file):
        for framework, template in table.items():
            for n in ast.walk(ast.parse(template, mode="eval")):
                if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute):
                    dotted = ast.unparse(n.func)
                    assert ops.functions(dotted), (table_name, framework, dotted)


@each(PATTERNS)
def test_a_note_on_safety_has_its_replacement(file):
    spelled = {framework for _, table in tables(file) for framework in table}
    assert set(file.unsafe) <= spelled
    assert all(reason and reason[0].islower() and not reason.endswith(".") for reason in file.unsafe.values())


@each(PATTERNS)
def test_replacement_tables_belong_to_spellings(file):
    suffixes = {s.removeprefix("naive") for s in file.naive}
    for name, _ in tables(file):
        suffix = name.removeprefix("replacement")
        assert any(s.startswith(suffix) for s in suffixes), name


@each(PATTERNS)
def test_witnesses_follow_the_schema(file):
    for dtype, row in file.witness.items():
        assert dtype in FORMATS
        assert set(row) - {"spelling"} == {"input", "returns", "truth"}
        assert row.get("spelling", "naive") in file.naive
        if len(file.args) > 1:
            assert len(row["input"]) == len(file.args)


@each([f for f in PATTERNS if f.witness])
def test_every_default_dtype_has_a_witness(file):
    assert {dtype_of(framework) for framework in SPELLED} <= set(file.witness)


@each([f for f in KERNELS if f.code])
def test_a_kernel_with_a_code_has_a_witness(file):
    assert file.witness


@each(CODED)
def test_severities_are_known(file):
    table = file.severity if isinstance(file.severity, dict) else {"naive": file.severity}
    assert set(table.values()) <= SEVERITIES
    assert set(table) <= {*file.naive, "naive"}


@each(PATTERNS)
def test_messages_belong_to_spellings_and_are_one_line(file):
    text = getattr(file.module, "message", file.summary)
    table = text if isinstance(text, dict) else {"naive": text}
    assert set(table) <= set(file.naive)
    for line in table.values():
        filled = line.format(overflow=1.0, underflow=2.0, saturation=3.0)
        assert filled
        assert "\n" not in filled


@each(PATTERNS)
def test_a_pattern_has_its_fixture_pair(file):
    assert (FIXTURES / f"{file.name}.py").is_file()
    assert (FIXTURES / f"{file.name}.fixed.py").is_file()
    assert f"# {file.code}" in (FIXTURES / f"{file.name}.py").read_text()


def test_no_fixture_is_left_without_its_file():
    names = {p.name.removesuffix(".py").removesuffix(".fixed") for p in FIXTURES.glob("*.py")}
    assert names == {f.name for f in PATTERNS}

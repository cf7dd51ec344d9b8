"""What the pages say is so: codes, links, commands, tables and folders that they name exist, and every code has a remedy."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from assets.definitions import defs
from pipelines.reviews import CHECK as REVIEWER
from pipelines.tables import TABLES
from pipelines.teach.requests import FAILURES
from quality.checks import CHECKS
from quality.image_gates import GATES
from sources.record import REASONS

ROOT = Path(__file__).parents[1]
PACKAGES = ("sources", "prompts", "quality", "pipelines", "assets")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
INTERNAL = {"NothingToSay", "BadImage", "ParseFault"}
"""Exceptions that always become a row, never an error that a person sees."""


def section(title: str) -> dict[str, list[str]]:
    """The rows of a section's table in docs/reasons.md: further cells by what stands first."""
    text = (ROOT / "docs" / "reasons.md").read_text().split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")][2:]
    return {cells[0].strip().strip("`"): [cell.strip() for cell in cells[1:]] for cells in lines}


@cache
def modules() -> list[ast.Module]:
    """The program's modules, parsed."""
    return [ast.parse(path.read_text()) for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))]


def calls(*names: str) -> Iterator[ast.Call]:
    """Every call of the named functions or classes."""
    for module in modules():
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                if called in names:
                    yield node


def words(call: ast.Call) -> set[str]:
    """Arguments of a call that are a single word with an underscore or none: reason codes among them."""
    given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg in ("reason", "failure"))]
    return {one.value for one in given if isinstance(one, ast.Constant) and re.fullmatch(r"[a-z_]+", str(one.value))}


@pytest.mark.parametrize(
    ("title", "codes"),
    [
        ("Inputs that fell out, or were mended", set(REASONS)),
        ("Image gates", {gate.code for gate in GATES}),
        ("Answers that are none", set(FAILURES)),
        ("Answers that were rejected", {*CHECKS, REVIEWER}),
    ],
)
def test_every_code_has_a_cause_and_a_remedy_and_no_other_is_named(title, codes):
    told = section(title)
    assert set(told) == codes
    assert all(len(cells) == 2 and all(cells) for cells in told.values())


def test_no_reader_writes_a_reason_that_is_not_listed():
    written = set[str]().union(*map(words, calls("Reject", "stray", "member_reject", "Damage", "BadImage")))
    assert len(written) > 15
    assert written <= set(REASONS)


def test_every_reason_that_is_listed_is_written_somewhere():
    spoken = {
        node.value
        for module in modules()
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and node.value in REASONS
        # The list itself names each once: a code has to stand in another module.
        if not any(isinstance(one, ast.Assign) and _names(one) == {"REASONS"} for one in module.body)
    }
    assert spoken == set(REASONS)


def _names(assignment: ast.Assign) -> set[str]:
    return {target.id for target in assignment.targets if isinstance(target, ast.Name)}


def test_no_engine_writes_a_failure_that_is_not_listed():
    written = set[str]().union(*map(words, calls("Answer")))
    assert len(written) > 3
    assert written <= set(FAILURES)


def test_every_asset_check_has_a_remedy_and_blocks_as_the_page_says():
    graph = defs.resolve_asset_graph()
    specs = {(key.asset_key.to_user_string(), key.name): graph.get_check_spec(key) for key in graph.asset_check_keys}
    told = section("Asset checks")
    names = {one: f"*.{one[1]}" if one[1] in ("schema", "stands") else ".".join(one) for one in specs}
    assert set(told) == set(names.values())
    assert all(all(cells) for cells in told.values())
    for one, spec in specs.items():
        assert told[names[one]][0] == ("yes" if spec.blocking else "no"), one


def test_every_error_that_a_person_sees_has_a_remedy():
    raised = {
        node.name
        for module in modules()
        for node in module.body
        if isinstance(node, ast.ClassDef)
        and not node.name.startswith("_")
        and any(isinstance(base, ast.Name) and base.id.endswith(("Exception", "Error")) for base in node.bases)
    }
    told = section("Errors that end a step")
    assert set(told) == raised - INTERNAL
    assert all(all(cells) for cells in told.values())


def test_every_reason_to_withhold_an_image_has_a_remedy():
    """The reasons as the code composes them, with what varies left out."""
    text = (ROOT / "pipelines" / "outgoing.py").read_text()
    told = section("Images that a release withholds")
    for reason in told:
        for part in reason.split("…"):
            assert part.strip() in text, reason
    phrases = re.findall(r'"((?:image gate|personal data|no image|no such|phantoms|licence )[^"]*)"', text)
    assert {re.sub(r"\{[^}]*\}", "…", phrase) for phrase in phrases} == set(told)
    assert all(all(cells) for cells in told.values())


def prose(page: Path) -> str:
    """A page without its blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_internal_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if not re.match(r"[a-z]+:", target):
            path, _, mark = target.partition("#")
            assert not path or (page.parent / path).exists(), f"{page.name}: {target}"
            if mark:
                linked = (page.parent / path if path else page).read_text()
                assert mark in {_anchor(title) for title in re.findall(r"^#+ (.*)$", linked, re.MULTILINE)}, target


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def test_every_page_is_reached_from_the_readme():
    reached, todo = set[Path](), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in reached or page.suffix != ".md" or not page.exists():
            continue
        reached.add(page)
        todo += [(page.parent / target).resolve() for target in re.findall(r"\]\(([^)#\s]+)", page.read_text())]
    assert {page for page in PAGES if page.parent == ROOT / "docs"} <= reached


def shown(page: Path) -> Iterator[str]:
    """Commands that a page shows: in its blocks and in code spans."""
    text = page.read_text()
    spans = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose(page))
    blocks = re.findall(r"^```(?:console|sh)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    yield from (span.strip() for span in spans)
    yield from (line.removeprefix("$ ").strip() for block in blocks for line in block.splitlines())


def test_make_targets_and_their_variables_exist():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z0-9_]+) [:?]?=", makefile, re.MULTILINE)) | set(
        re.findall(r"\$\(([A-Z0-9]+)\)", makefile)
    )
    seen = 0
    for page in PAGES:
        for line in shown(page):
            found = re.match(r"(?:[A-Z_]+=\S* )*make ((?:[a-z-]+ ?)+)(.*)", line)
            if found:
                seen += 1
                assert set(found[1].split()) <= targets, f"{page.name}: {line}"
                given = re.findall(r"\b([A-Z][A-Z0-9_]*)=", found[2].split("#")[0].split('"')[0])
                assert {name for name in given if not name.startswith(("DERMOFORGE_", "DAGSTER_"))} <= variables, line
    assert seen > 40


def test_commands_and_their_options_exist():
    import typer

    from assets.command import app

    root = typer.main.get_command(app)
    for page in PAGES:
        for line in shown(page):
            found = re.match(r"(?:[A-Z_]+=\S* )*(?:\.venv/bin/)?dermoforge ([a-z].*)", line)
            if not found:
                continue
            command, words = root, found[1].split("#")[0].split()
            while hasattr(command, "commands") and words and words[0].rstrip(",") in command.commands:
                command = command.commands[words.pop(0).rstrip(",")]
            assert command is not root, f"{page.name}: {line}"
            known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
            if command.name != "benchmark":
                assert {word.strip("[],") for word in words if word.startswith("-")} <= known, f"{page.name}: {line}"


def test_modules_that_pages_run_exist():
    for page in PAGES:
        for module in re.findall(r"python -m ([a-z_.]+)", page.read_text()):
            path = ROOT / module.rstrip(".").replace(".", "/")
            assert module == "pytest" or path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def architecture(title: str) -> list[list[str]]:
    """The rows of a section's table in docs/architecture.md."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    text = text.split(f"\n## {title}\n", 1)[1] if title else text
    lines = [line for line in text.split("\n## ", 1)[0].splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_folder_of_the_program_is_on_the_architecture_page_with_a_place_to_start():
    told = {cells[0].strip("`"): cells[2].strip("`") for cells in architecture("")}
    assert all((ROOT / folder).is_dir() and (ROOT / start).is_file() for folder, start in told.items())
    held = {f"{path.parent.relative_to(ROOT)}/" for name in PACKAGES for path in (ROOT / name).rglob("__init__.py")}
    assert held - set(told) <= {"prompts/benchmark/", "quality/benchmark/"}


WRITES = ("replace", "replace_streaming", "append", "bring_up_to_date", "bring_images_up_to_date", "bring_tables_up_to_date")


def test_the_writer_of_every_table_is_the_one_that_the_page_names():
    told = {cells[0].strip("`"): (re.findall(r"`([^`]+)`", cells[1])[0], cells[2]) for cells in architecture(WRITERS)}
    assert {name: "yes" if spec.partitioned else "no" for name, spec in TABLES.items()} == {
        name: by_source for name, (_, by_source) in told.items()
    }
    for path in sorted((ROOT / "pipelines").rglob("*.py")):
        module = ast.parse(path.read_text())
        for call in (node for node in ast.walk(module) if isinstance(node, ast.Call)):
            method = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            first = [one.value for one in call.args[:2] if isinstance(one, ast.Constant)] if method in WRITES else []
            for table in set(first) & set(TABLES):
                written = call.args[0 if method in WRITES[:3] else 1]
                if isinstance(written, ast.Constant) and written.value == table:
                    assert told[table][0] == str(path.relative_to(ROOT)), f"{table} is written by {path.name}"
    for table, (module, _) in told.items():
        assert f'"{table}"' in (ROOT / module).read_text(), f"{module} does not speak of {table}"


WRITERS = "Which module writes which table?"


def test_modules_and_functions_on_the_architecture_page_exist():
    text = (ROOT / "docs" / "architecture.md").read_text()
    for name in re.findall(r"`([a-z_]+/[a-z_/]+\.(?:py|json))`", text):
        assert (ROOT / name).is_file(), name
    for cells in architecture("Where is it decided that …"):
        spoken = re.findall(r"`([^`]+)`", cells[1])
        modules_ = [ROOT / name for name in spoken if name.endswith(".py")] or [ROOT / "pipelines" / "lake.py"]
        sources_ = "\n".join(path.read_text() for path in [*modules_, ROOT / "pipelines" / "lake.py"])
        for name in spoken:
            if not name.endswith(".py") and name != "VERSION":
                assert re.search(rf"(?:def|class) {name.rsplit('.', 1)[-1]}\b", sources_), name


def test_the_picture_of_the_architecture_names_every_table_and_package():
    drawn = " ".join(re.findall(r">([^<]+)<", (ROOT / "docs" / "pictures" / "architecture.svg").read_text()))
    assert all(re.search(rf"\b{name}\b", drawn) for name in TABLES)
    assert all(f"{name}/" in drawn for name in PACKAGES)

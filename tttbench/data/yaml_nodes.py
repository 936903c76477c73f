"""YAML files as trees of nodes that know their lines, with errors that name file, line and field.

Texts stay as they are written: ``no`` is the word, not a truth value. Needs the extra ``captions``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tttbench.core.errors import UserError
from tttbench.core.extras import require
from tttbench.core.sample import Place
from tttbench.core.tables import odd_character
from tttbench.data.documents import read_text

if TYPE_CHECKING:
    import yaml


@dataclass(frozen=True)
class YamlNode:
    """A value in a file. ``path`` says for messages where it stands: ``files[2].filename``."""

    file: Path
    node: yaml.Node
    path: str = ""

    @property
    def place(self) -> Place:
        """Its line."""
        return Place(self.file, int(self.node.start_mark.line) + 1, fields=self.path)

    def error(self, says: str) -> UserError:
        """Return an error about it, the end of a sentence."""
        return UserError(f"{self.place.file}, line {self.place.number}: field {self.path!r:.80}: {says}")

    def mapping(self) -> Mapping[str, YamlNode]:
        """Return its values by key; raises ``UserError`` if it has none, or a key twice."""
        import yaml

        if not isinstance(self.node, yaml.MappingNode):
            raise self.error("must be a mapping (key: value).")
        found: dict[str, YamlNode] = {}
        for key, value in self.node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.error("must have texts as keys.")
            name = str(key.value)
            if name in found:
                raise found[name].error("stands twice. Remove one.")
            found[name] = YamlNode(self.file, value, f"{self.path}.{name}".lstrip("."))
        return found

    def items(self) -> list[YamlNode]:
        """Return the items of a list; raises ``UserError`` if it is none."""
        import yaml

        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error("must be a list.")
        return [YamlNode(self.file, one, f"{self.path}[{at}]") for at, one in enumerate(self.node.value)]

    def text(self) -> str:
        """Return a text that isn't empty, without blanks around it."""
        import yaml

        if not isinstance(self.node, yaml.ScalarNode):
            raise self.error("must be a text.")
        found = str(self.node.value).strip()
        if not found or self.node.tag == "tag:yaml.org,2002:null":
            raise self.error("is empty. Fill it or delete the entry.")
        if odd := odd_character(found):
            raise self.error(f"must not hold the character {odd.group()!a}; take it out.")
        return found

    def of(self, key: str) -> YamlNode:
        """Return the value of a key that must be there."""
        values = self.mapping()
        if key not in values:
            raise self.error(
                f"has no {key!r}; found {', '.join(f'{name!r:.60}' for name in list(values)[:10]) or 'nothing'}."
            )
        return values[key]


def read_yaml(path: Path) -> YamlNode:
    """Read a file; raises ``UserError`` if it can't be read, isn't valid YAML, or the extra isn't installed."""
    require("captions", f"{path.name}: reading YAML")
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = yaml.compose(read_text(path), Loader=loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark is not None else str(path)
        raise UserError(f"{where}: not valid YAML: {getattr(error, 'problem', error)!s:.200}. Correct it.") from error
    except RecursionError:
        raise UserError(f"{path}: is nested too deep to be read. Copy it again.") from None
    if root is None:
        raise UserError(f"{path}: is empty. Copy it again.")
    return YamlNode(path, root)

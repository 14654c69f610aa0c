"""All files of the site, each with its path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from conformance.modes import MODES
from conformance.site import contract_page, documentation, exports, gradients, version_page
from conformance.site.article import claims
from conformance.site.atlas import Atlas
from conformance.site.citing import cite
from conformance.site.heatmap import heatmap
from conformance.site.permalinks import published
from conformance.site.questions import by_contract, questions
from conformance.site.rendering import FOLDER, environment
from conformance.site.verdicts import letter
from conformance.site.versions import NIGHTLY, known

File = tuple[str, bytes]
STATIC: Final = FOLDER / "static"


class Pages:
    """The pages of an atlas.

    Args:
        atlas: what they tell.
        url: where they will be, with a slash at the end; empty if nobody has said it.
    """

    def __init__(self, atlas: Atlas, url: str) -> None:
        self.atlas, self.url = atlas, url
        self._templates = environment()
        self._templates.globals |= {"atlas": atlas, "modes": list(MODES)}
        self._known = list(dict.fromkeys([*known()[:-1], *atlas.names, NIGHTLY]))

    def page(self, path: str, template: str, **context: Any) -> File:
        """A page.

        Args:
            path: of its file.
            template: the name of its template.
            **context: what the template asks for.
        """
        root = "../" * path.count("/")
        text = self._templates.get_template(template).render(root=root, path=path, **context)
        return path, text.encode()

    def all(self) -> Iterator[File]:
        """Every page."""
        yield self._home()
        yield self.page("matrix.html", "matrix.html", rows=matrix_rows(self.atlas))
        yield from self._contracts()
        yield from self._versions()
        yield from self._documentation()
        grid = gradients.grid(self.atlas)
        functions = gradients.functions(self.atlas)
        found = {"grid": grid, "functions": functions, "counts": gradients.counts}
        yield self.page("gradients.html", "gradients.html", **found)
        yield "heatmap.svg", heatmap(grid, self.atlas.names).encode()
        yield self.page("article.html", "article.html", claims=claims(self.atlas))

    def _home(self) -> File:
        atlas = self.atlas
        releases = [version for version in atlas.versions if version.is_release]
        newest = [*releases[-1:], *(v for v in atlas.versions if v.name == NIGHTLY)]
        glances = [version_page.glance(version, atlas) for version in newest or atlas.versions[-1:]]
        return self.page("index.html", "home.html", questions=questions(atlas), glances=glances)

    def _contracts(self) -> Iterator[File]:
        for entry in self.atlas.entries.values():
            context = contract_page.context(entry, self.atlas)
            path = f"contract/{entry.id}.html"
            citation = cite(entry, self.atlas, self.url and f"{self.url}{path}")
            yield self.page(path, "contract.html", entry=entry, citation=citation, **context)
        for id_ in published():
            if id_ not in self.atlas.entries:
                yield self.page(f"contract/{id_}.html", "gone.html", id=id_)

    def _versions(self) -> Iterator[File]:
        yield self.page("version/index.html", "versions.html", known=self._known)
        before = None
        for name in self._known:
            version = self.atlas.version(name)
            path = f"version/{name}.html"
            if version is None:
                yield self.page(path, "unmeasured.html", name=name)
            else:
                context = version_page.context(version, before, self.atlas)
                yield self.page(path, "version.html", version=version, **context)
                before = version

    def _documentation(self) -> Iterator[File]:
        symbols = documentation.index(self.atlas)
        yield self.page("documentation/index.html", "documentation_index.html", symbols=symbols)
        for name in self._known:
            version = self.atlas.version(name)
            path = f"documentation/{name}.html"
            if version is None:
                yield self.page(path, "unmeasured.html", name=name)
            else:
                read = documentation.read_aloud(version, self.atlas)
                yield self.page(path, "documentation.html", version=version, read=read)


def pages(atlas: Atlas, url: str = "") -> Iterator[File]:
    """Every file of the site, each with its path.

    Args:
        atlas: what they tell.
        url: where they will be, with a slash at the end; empty if nobody has said it.
    """
    yield from Pages(atlas, url).all()
    yield "matrix.csv", exports.matrix_csv(atlas).encode()
    yield "matrix.json", exports.matrix_json(atlas).encode()
    yield "search.js", exports.search_index(atlas, by_contract()).encode()
    for path in sorted(STATIC.iterdir()):
        yield f"static/{path.name}", path.read_bytes()


def matrix_rows(atlas: Atlas) -> dict[str, str]:
    """For each contract what the matrix's script reads.

    For each version a letter for the verdict in all modes together, and one for each mode.
    """
    return {
        entry.id: " ".join(
            "".join(
                letter(one.verdict)
                for one in (entry.summaries[version], *entry.by_mode[version].values())
            )
            for version in atlas.names
        )
        for entry in atlas.entries.values()
    }

"""The catalog as people write it: pydantic models of the whole contract, a loader that explains, the canonical form.

loaded = load_catalog(Path("catalog.yaml"))     every problem at once: file, line, field, value, remedy
loaded.doc                                      the canonical document: what is published and compiled
check_publish(published, loaded), diff(published, loaded.doc)
"""

from schemas.catalog.canonical import canonical, same_content
from schemas.catalog.diff import Change, diff
from schemas.catalog.document import CatalogDocument
from schemas.catalog.load import LoadedCatalog, check_catalog, check_publish, load_catalog
from schemas.catalog.problems import CatalogProblem

__all__ = [
    "CatalogDocument", "CatalogProblem", "Change", "LoadedCatalog", "canonical", "check_catalog", "check_publish",
    "diff", "load_catalog", "same_content",
]  # fmt: skip

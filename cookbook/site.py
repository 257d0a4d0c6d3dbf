"""Addresses: where the repository, the published site and Colab are. The one place is `repo_url` in mkdocs.yml."""

import os
import re
from pathlib import Path
from typing import NamedTuple

BRANCH = "main"


class Site(NamedTuple):
    """Owner and name of the repository on GitHub, from which every address follows."""

    owner: str
    name: str

    @property
    def repo_url(self) -> str:
        return f"https://github.com/{self.owner}/{self.name}"

    @property
    def url(self) -> str:
        """The published site, with a slash at its end."""
        return f"https://{self.owner.lower()}.github.io/{self.name}/"

    def page(self, key: str, lang: str) -> str:
        """A recipe's page, by `chapter/slug`."""
        return f"{self.url}{'' if lang == 'en' else lang + '/'}recipes/{key}/"

    def colab(self, key: str, lang: str) -> str:
        """A recipe's notebook, opened in Colab."""
        path = f"{self.owner}/{self.name}/blob/{BRANCH}/notebooks/{lang}/{key}.ipynb"
        return f"https://colab.research.google.com/github/{path}"

    def source(self, key: str) -> str:
        """A recipe's source on GitHub."""
        return f"{self.repo_url}/blob/{BRANCH}/recipes/{key}.py"

    def history(self, key: str) -> str:
        """The changes of a recipe's source on GitHub."""
        return f"{self.repo_url}/commits/{BRANCH}/recipes/{key}.py"


def read(root: Path, *, fork: bool = False) -> Site:
    """The repository that mkdocs.yml names; with `fork`, the one that GITHUB_REPOSITORY names, where set.

    Raises:
        ValueError: mkdocs.yml has no `repo_url` of the form https://github.com/OWNER/NAME.
    """
    path = root / "mkdocs.yml"
    text = path.read_text(encoding="utf-8")
    match = re.search(r"^repo_url: *https://github\.com/([\w.-]+)/([\w.-]+?)/?$", text, re.MULTILINE)
    if not match:
        raise ValueError(f"{path}:1: has no repo_url; write `repo_url: https://github.com/OWNER/NAME`")
    override = re.fullmatch(r"([\w.-]+)/([\w.-]+)", os.environ.get("GITHUB_REPOSITORY", "")) if fork else None
    return Site(*(override or match).groups())

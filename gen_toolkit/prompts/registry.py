"""Saving and loading: the MLflow prompt registry outside a job, the frozen texts of the release inside one."""

from __future__ import annotations

import re

from gen_toolkit import scope
from gen_toolkit.errors import PromptError, PromptNotFound, ReleaseError
from gen_toolkit.prompts.prompt import Prompt
from gen_toolkit.tracking import registry
from gen_toolkit.tracking.aliases import check_alias, move

LIVE = "live"
"""The alias that production loads. It moves with an evaluation, or with a reason."""
_REFERENCE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)@(?P<which>[A-Za-z0-9][A-Za-z0-9._-]*)")


def load_prompt(reference: str) -> Prompt:
    """The prompt `name@4` (a version) or `name@live` (what an alias points to).

    Inside a job it is the text that the release froze, whatever the alias points to now. Raises
    PromptNotFound.
    """
    name, which = parse_reference(reference)
    release = scope.current().release
    if release is not None:
        return _frozen(reference, name)
    found = find_version(name, which)
    return Prompt.from_content(name, found.content, found.version)


def find_version(name: str, which: str) -> registry.Version:
    """The version with what the registry knows of it. Raises PromptNotFound."""
    reference = "@".join(parse_reference(f"{name}@{which}"))
    found = registry.load(name, which)
    if found is None:
        raise PromptNotFound(
            f"there is no prompt {reference!r} in the registry",
            fix="Save it first: prompt.save(…, alias=…). `gen prompts list` shows what is there.",
            reference=reference,
        )
    return found


def parse_reference(reference: str) -> tuple[str, str]:
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise PromptError(f"{reference!r} names no prompt", fix='Write "name@version" or "name@alias".')
    return match["name"], match["which"]


def _frozen(reference: str, name: str) -> Prompt:
    manifest = scope.frozen_manifest()
    frozen = manifest["prompts"].get(reference)
    if frozen is None:
        known = ", ".join(sorted(manifest["prompts"])) or "none"
        raise ReleaseError(
            f"prompt {reference!r} is not frozen in this release; frozen: {known}",
            fix="Promote again: references must be literal texts, and must exist at promotion.",
            reference=reference,
        )
    if frozen.get("absent"):
        raise PromptNotFound(
            f"prompt {reference!r} did not exist when this release was promoted", fix="", reference=reference
        )
    return Prompt.from_content(name, frozen["content"], frozen["version"])


def save_prompt(prompt: Prompt, comment: str, alias: str | None) -> Prompt:
    """See Prompt.save. In a job nothing is written: a version the release froze is returned."""
    if scope.current().release is not None:
        versions = scope.frozen_manifest()["versions"].get(prompt.name, {})
        if prompt.hash not in versions:
            raise PromptError(
                f"a job saves no prompts, and this text of {prompt.name!r} is in no version that the release knows",
                fix="Save it from the notebook, then promote again.",
            )
        return Prompt.from_content(prompt.name, prompt.content(), versions[prompt.hash])
    if alias == LIVE:
        raise PromptError(
            f"{LIVE!r} moves with an evaluation, not with a save",
            fix=f'Save with alias="staging", evaluate, then: gen prompts promote {prompt.name} VERSION {LIVE}',
        )
    if alias:
        check_alias(alias)
    template = [dict(message) for message in prompt.resolved]
    version = registry.save(prompt.name, prompt.content(), prompt.hash, template, comment)
    if alias:
        move(prompt.name, alias, version, "save", why=comment)
    if prompt.description or prompt.owner:
        describe(prompt, clear=False)  # what a cell does not say, the prompt's file may have said
    about = {"description": prompt.description, "owner": prompt.owner}
    saved = Prompt.from_content(prompt.name, prompt.content(), version, **about)
    saved.output = prompt.output  # the type that was declared, not only its schema
    return saved


def describe(prompt: Prompt, *, clear: bool = True) -> None:
    """Bring description and owner to the registry; one that the prompt has not is cleared there, or left."""
    changed = changed_about(prompt, registry.entry(prompt.name))
    about = {key: said for key, said in changed.items() if said or clear}
    if about:
        registry.describe(prompt.name, about)


def changed_about(prompt: Prompt, entry: registry.Entry | None) -> dict[str, str]:
    """What the prompt says of itself otherwise than the registry does."""
    known = entry or registry.Entry(prompt.name)
    pairs = {"description": (prompt.description, known.description), "owner": (prompt.owner, known.owner)}
    return {key: mine for key, (mine, theirs) in pairs.items() if mine != theirs}

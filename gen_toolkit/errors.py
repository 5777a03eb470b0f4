"""Every error a user can meet: one line that says what happened, where, and what to do next.

    GenToolkitError                     exit 1
    ├── InputError                      exit 2  refused before anything started
    │   ├── SettingError
    │   ├── UnknownAlias
    │   ├── PromptError
    │   │   ├── MissingVariable
    │   │   ├── UnknownVariable
    │   │   ├── FragmentError
    │   │   └── PromptNotFound
    │   ├── DatasetError
    │   ├── ScorerError
    │   ├── NotebookError
    │   ├── ParameterError
    │   ├── KeepError
    │   ├── ReleaseError
    │   ├── ResumeRefused
    │   └── NotFound
    ├── WorkError                       exit 1  the work itself says no
    │   ├── CheckFailed
    │   ├── RunFailed
    │   ├── GuardRefused
    │   ├── GateRefused
    │   ├── EffectUnknown
    │   └── BudgetExceeded              exit 4
    │       └── BudgetTooSmall
    ├── SetupError                      exit 3  model, key, database, disk
    │   ├── MissingSecret
    │   ├── MissingWeights
    │   ├── DatabaseError
    │   ├── TrackingError
    │   └── ReplayMiss
    └── ModelError                      exit 3  a call to a model that brought no usable answer
        ├── ModelUnreachable
        ├── ModelRefused
        │   └── QuotaExhausted
        ├── ModelOverloaded
        ├── BadReply
        ├── OutputMismatch              exit 1
        └── DeadlineExceeded            exit 4

An error carries its data as attributes, a `code` for scripts, and `fix`: the next step.
"""

from __future__ import annotations

from typing import Any

from gen_toolkit.failure import GenToolkitError as GenToolkitError
from gen_toolkit.failure import from_json as from_json
from gen_toolkit.failure import nearest as nearest
from gen_toolkit.model_errors import BadReply as BadReply
from gen_toolkit.model_errors import DeadlineExceeded as DeadlineExceeded
from gen_toolkit.model_errors import ModelError as ModelError
from gen_toolkit.model_errors import ModelOverloaded as ModelOverloaded
from gen_toolkit.model_errors import ModelRefused as ModelRefused
from gen_toolkit.model_errors import ModelUnreachable as ModelUnreachable
from gen_toolkit.model_errors import OutputMismatch as OutputMismatch
from gen_toolkit.model_errors import QuotaExhausted as QuotaExhausted


class InputError(GenToolkitError):
    """Refused before anything started."""

    code = "input"
    exit_code = 2


class SettingError(InputError):
    """A setting that is unknown or has an impossible value. Data: `setting`, `origin`."""

    code = "setting"


class UnknownAlias(InputError, KeyError):
    """A model alias that no setting names. Data: `alias`, `known`."""

    code = "unknown-alias"
    alias: str
    known: list[str]

    __str__ = GenToolkitError.__str__  # KeyError would show the repr


class PromptError(InputError):
    """A prompt that cannot be built, rendered, saved or loaded."""

    code = "prompt"


class MissingVariable(PromptError):
    """A template variable that nobody gave. Data: `variable`."""

    code = "missing-variable"
    variable: str


class UnknownVariable(PromptError):
    """A keyword that the template does not use. Data: `variable`."""

    code = "unknown-variable"
    variable: str


class FragmentError(PromptError):
    """An included text that is missing, includes itself, or is not named by a literal. Data: `fragment`."""

    code = "fragment"
    fragment: str


class PromptNotFound(PromptError):
    """A reference that the registry, or the release, does not hold. Data: `reference`."""

    code = "prompt-not-found"
    reference: str


class DatasetError(InputError):
    """Rows that cannot be read or do not have the needed columns."""

    code = "dataset"


class ScorerError(InputError):
    """A scorer that cannot be used as given."""

    code = "scorer"


class NotebookError(InputError):
    """A file that is not a notebook we can run. Data: `path`."""

    code = "notebook"


class ParameterError(InputError):
    """A parameters cell or a parameter value that is refused. Data: `parameter`."""

    code = "parameter"


class KeepError(InputError):
    """A value that cannot be kept. Data: `name`."""

    code = "keep"


class ReleaseError(InputError):
    """A release that is missing, changed since its review, or not allowed to do what was asked."""

    code = "release"


class ResumeRefused(InputError):
    """A run that cannot be resumed: it is under way, or there is nothing to resume. Data: `run`, `state`."""

    code = "resume-refused"
    run: str
    state: str


class NotFound(InputError, LookupError):
    """A run, pipeline or file that does not exist."""

    code = "not-found"


class WorkError(GenToolkitError):
    """The work was done, and its answer is no."""

    code = "work"


class CheckFailed(WorkError):
    """`gen check` found what promotion refuses. Data: `findings`."""

    code = "check-failed"


class RunFailed(WorkError):
    """A run that did not succeed. Data: `run`, `state`."""

    code = "run-failed"
    run: str
    state: str


class GuardRefused(WorkError):
    """A text that the guard of an alias does not let through. Data: `alias`, `reason`, `direction`."""

    code = "guard-refused"
    reason: str
    direction: str
    paid: Any = None
    """The reply that was not let through: it is on the bill."""


class GateRefused(WorkError):
    """What no evaluation lets pass to where it was to go: a version of a prompt, a notebook.

    Data: `prompt`, `version`, `alias`; or `pipeline`, `run`, `gates` (each `gate`, `asked`, `found`, `passed`).
    """

    code = "gate-refused"
    prompt: str
    version: int
    alias: str
    pipeline: str
    run: str | None
    gates: list[dict[str, Any]]


class EffectUnknown(WorkError):
    """Something done with `gt.once` was begun, and nobody knows whether it was done. Data: `key`, `begun_at`."""

    code = "effect-unknown"
    key: str
    begun_at: float


class BudgetExceeded(WorkError):
    """A call that was not made because it might cross a budget. Data: `budget`, `spent`, `limit`, `needed`."""

    code = "budget"
    exit_code = 4
    budget: str
    spent: str
    limit: str
    needed: str
    result: Any = None
    """Of an evaluation that it stopped, the result of the rows that were done."""


class BudgetTooSmall(BudgetExceeded):
    """An evaluation that was not begun, since its budget cannot hold even what is certain.

    Data: `budget`, `spent`, `limit`, `needed` (what is certain), `forecast`.
    """

    code = "budget-too-small"
    forecast: str


class SetupError(GenToolkitError):
    """Something around us is missing or broken: model, key, database, disk."""

    code = "setup"
    exit_code = 3


class MissingSecret(SetupError):
    """A reference to a secret that cannot be read. Data: `reference`."""

    code = "missing-secret"


class MissingWeights(SetupError):
    """The embedded model's weights are not installed."""

    code = "missing-weights"


class DatabaseError(SetupError):
    """The workspace database cannot be opened, read or written. Data: `url`.

    Where an answer that was paid for could not be recorded, `reply` holds it.
    """

    code = "database"
    reply: Any = None


class TrackingError(SetupError):
    """MLflow does not answer, or refuses. Data: `uri`."""

    code = "tracking"


class ReplayMiss(SetupError):
    """In `replay` a request was made that was never recorded. Data: `key`, `alias`."""

    code = "replay-miss"

"""gen_toolkit: from a prompt in a notebook cell to a scheduled production job, without rewriting it.

The names below are the public surface. They are loaded on first use (PEP 562), so importing the
package costs next to nothing and loads nothing heavy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gen_toolkit.datasets.dataset import Dataset as Dataset
    from gen_toolkit.datasets.read import dataset as dataset
    from gen_toolkit.datasets.recorded import recorded as recorded
    from gen_toolkit.errors import GenToolkitError as GenToolkitError
    from gen_toolkit.evals import scorers as scorers
    from gen_toolkit.evals.choice import Choose as Choose
    from gen_toolkit.evals.evaluate import aevaluate as aevaluate
    from gen_toolkit.evals.evaluate import evaluate as evaluate
    from gen_toolkit.evals.score import Score as Score
    from gen_toolkit.jobs.fixed import due as due
    from gen_toolkit.jobs.fixed import seed as seed
    from gen_toolkit.jobs.once import once as once
    from gen_toolkit.messages.reply import Reply as Reply
    from gen_toolkit.messages.reply import Usage as Usage
    from gen_toolkit.models.chat import achat as achat
    from gen_toolkit.models.chat import chat as chat
    from gen_toolkit.models.chat import choose as choose
    from gen_toolkit.models.chat import stream as stream
    from gen_toolkit.models.conversation import Conversation as Conversation
    from gen_toolkit.models.embed import embed as embed
    from gen_toolkit.models.scripted import ScriptedModel as ScriptedModel
    from gen_toolkit.prompts.prompt import Prompt as Prompt
    from gen_toolkit.prompts.registry import load_prompt as load_prompt
    from gen_toolkit.releases.drift import drift as drift
    from gen_toolkit.secret import Secret as Secret
    from gen_toolkit.tracking.keep import keep as keep
    from gen_toolkit.tracking.run import run as run
    from gen_toolkit.widgets.form import form as form
    from gen_toolkit.widgets.playground import playground as playground

_HOME_OF = {
    "Choose": "evals.choice",
    "Conversation": "models.conversation",
    "Dataset": "datasets.dataset",
    "GenToolkitError": "errors",
    "Prompt": "prompts.prompt",
    "Reply": "messages.reply",
    "Score": "evals.score",
    "ScriptedModel": "models.scripted",
    "Secret": "secret",
    "Usage": "messages.reply",
    "achat": "models.chat",
    "aevaluate": "evals.evaluate",
    "chat": "models.chat",
    "choose": "models.chat",
    "dataset": "datasets.read",
    "drift": "releases.drift",
    "due": "jobs.fixed",
    "embed": "models.embed",
    "evaluate": "evals.evaluate",
    "form": "widgets.form",
    "keep": "tracking.keep",
    "load_prompt": "prompts.registry",
    "once": "jobs.once",
    "playground": "widgets.playground",
    "recorded": "datasets.recorded",
    "run": "tracking.run",
    "scorers": "evals",
    "seed": "jobs.fixed",
    "stream": "models.chat",
}

__version__ = "0.1.0"
__all__ = [*_HOME_OF, "__version__"]  # noqa: PLE0604 - the table is the list of names


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'gen_toolkit' has no attribute {name!r}")
    if name == "scorers":
        value: object = import_module("gen_toolkit.evals.scorers")
    else:
        value = getattr(import_module(f"gen_toolkit.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

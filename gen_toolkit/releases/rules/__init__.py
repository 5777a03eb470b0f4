"""The rules of gen check, in the order in which their findings are told."""

from gen_toolkit.releases.finding import Rule
from gen_toolkit.releases.rules.form import FORM
from gen_toolkit.releases.rules.imports import IMPORTS
from gen_toolkit.releases.rules.names import NAMES
from gen_toolkit.releases.rules.outcome import OUTCOME
from gen_toolkit.releases.rules.places import PLACES
from gen_toolkit.releases.rules.secrets import SECRETS
from gen_toolkit.releases.rules.unattended import UNATTENDED

RULES: tuple[Rule, ...] = (*NAMES, *OUTCOME, *SECRETS, *IMPORTS, *UNATTENDED, *PLACES, *FORM)

"""The verbs of the command line, one file each: ``HELP``, ``configure(parser)``, ``run(args) -> exit status``."""

from types import ModuleType

from tttbench.verbs import data, doctor, list_names, nll, probe, report, rescore, run, tables, train

VERBS: dict[str, ModuleType] = {
    "run": run,
    "report": report,
    "rescore": rescore,
    "probe": probe,
    "nll": nll,
    "tables": tables,
    "list": list_names,
    "doctor": doctor,
    "data": data,
    "train": train,
}

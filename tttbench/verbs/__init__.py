"""The verbs of the command line, one file each: ``HELP``, ``configure(parser)``, ``run(args) -> exit status``."""

from types import ModuleType

from tttbench.verbs import baseline, data, doctor, gate, list_names, nll, probe, report, rescore, run, tables, train

VERBS: dict[str, ModuleType] = {
    "run": run,
    "report": report,
    "rescore": rescore,
    "gate": gate,
    "baseline": baseline,
    "probe": probe,
    "nll": nll,
    "tables": tables,
    "list": list_names,
    "doctor": doctor,
    "data": data,
    "train": train,
}

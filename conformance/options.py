"""The options of the plugin, all named ``--tape-…``, and what a session is asked for by them."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from conformance import shards
from conformance.errors import UsageError, nearest
from conformance.modes import MODES
from conformance.profiles import DEFAULT, PROFILES, Profile
from conformance.reading import took

HERE = Path(__file__).parent


def add(parser: pytest.Parser) -> None:
    """Say what can be asked for."""
    group = parser.getgroup("tapemeasure", "conformance of tf.GradientTape")
    group.addoption(
        "--tape-mode",
        action="append",
        metavar="MODE",
        help=f"run only this mode, repeatable: {', '.join(MODES)} (default: all)",
    )
    group.addoption(
        "--tape-profile",
        default=DEFAULT,
        metavar="PROFILE",
        help=f"how much to try: {', '.join(PROFILES)} (default: {DEFAULT})",
    )
    group.addoption("--tape-record", metavar="FILE", help="write the record of the run to FILE")
    group.addoption(
        "--tape-record-only",
        action="store_true",
        help="exit 0 if the record is complete, whatever it says; needs --tape-record",
    )
    group.addoption(
        "--tape-examples", type=int, metavar="N", help="cases of an item, instead of the profile's"
    )
    group.addoption(
        "--tape-seed",
        type=int,
        metavar="N",
        help="the base of all seeds (default: 0; random in the profile explore)",
    )
    group.addoption(
        "--tape-deviations",
        action="append",
        default=[],
        metavar="FILE",
        help="known deviations of your own, beside conformance/deviations.toml; repeatable",
    )
    group.addoption(
        "--tape-shard",
        metavar="I/N",
        help="run only the part I of N; see python -m conformance merge",
    )
    group.addoption(
        "--tape-balance",
        metavar="FILE",
        help="an earlier record, by whose seconds the parts of --tape-shard are made equal",
    )


@dataclass(frozen=True)
class Options:
    """What a session is asked for.

    Attributes:
        modes: in which items run.
        profile: how much they try.
        examples: how many cases an item has, if not as the profile says.
        seed: the base of all seeds.
        deviations: files of the user's own.
        shard: which part of the run it is; None if it is the whole.
        took: the seconds of an earlier run, by which parts are made equal, if it is given.
        path: where the record is written, if it is.
        record_only: whether the completeness of the record is the verdict.
    """

    modes: tuple[str, ...]
    profile: Profile
    examples: int | None
    seed: int
    deviations: tuple[str, ...]
    shard: shards.Shard | None
    took: Mapping[str, float] | None
    path: Path | None
    record_only: bool


def read(config: pytest.Config) -> Options:
    """What the options of a session ask for.

    Raises:
        UsageError: if one of them is none that there is, or two do not go together.
    """
    option = config.option
    modes = tuple(dict.fromkeys(option.tape_mode or MODES))
    for mode in modes:
        _check("mode", mode, MODES)
    _check("profile", option.tape_profile, PROFILES)
    if option.tape_examples is not None and option.tape_examples < 1:
        raise UsageError(
            f"--tape-examples {option.tape_examples}",
            expected="a number of cases, 1 or more",
            hint="leave it out for the profile's own numbers",
        )
    profile = PROFILES[option.tape_profile]
    return Options(
        modes,
        profile,
        option.tape_examples,
        _seed(config, profile),
        tuple(option.tape_deviations),
        shards.parse(option.tape_shard) if option.tape_shard else None,
        None if option.tape_balance is None else took(Path(option.tape_balance)),
        Path(option.tape_record) if option.tape_record else None,
        option.tape_record_only,
    )


def _check(what: str, word: str, known: Collection[str]) -> None:
    """Refuse a word that is not known."""
    if word not in known:
        raise UsageError(
            f"unknown {what} {word!r}",
            expected=f"one of {', '.join(known)}",
            hint=nearest(word, known),
        )


def _seed(config: pytest.Config, profile: Profile) -> int:
    """The controller's, in a worker."""
    given = getattr(config, "workerinput", {}).get("tape_seed", config.option.tape_seed)
    if given is None:
        given = 0 if profile.fixed_seed else secrets.randbelow(2**32)
    return int(given)


def selection(config: pytest.Config) -> list[str]:
    """What this session was narrowed to, by paths and expressions."""
    option = config.option
    narrowed = [f"-k {option.keyword}"] if option.keyword else []
    narrowed += [f"--deselect {prefix}" for prefix in option.deselect or ()]
    narrowed += ["--last-failed"] if getattr(option, "lf", False) else []
    folder = HERE / "contracts"
    whole = {(config.invocation_params.dir / argument).resolve() for argument in config.args}
    if not whole & {folder, *folder.parents}:
        narrowed += config.args
    return narrowed


def asks_for_contracts(config: pytest.Config) -> bool:
    """Whether the arguments of this session take in the contracts."""
    folder = HERE / "contracts"
    roots = [Path(str(argument).split("::", maxsplit=1)[0]) for argument in config.args]
    paths = [(config.invocation_params.dir / root).resolve() for root in roots]
    return any(p == folder or folder in p.parents or p in folder.parents for p in paths)

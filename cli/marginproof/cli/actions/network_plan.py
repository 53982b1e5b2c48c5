"""The plan of a network: what `network init` writes, a person edits, and `network deploy` makes."""

import dataclasses
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

from pydantic import Field

from marginproof.attestation.signer_sets import check_signer_set
from marginproof.cli.output import Result
from marginproof.cli.rpc_file import Endpoints, read_rpc_file
from marginproof.model.chains import evm_chain_number, format_address
from marginproof.model.documents import StrictDocument, parse_document, read_file
from marginproof.model.errors import ConfigurationError, MalformedError
from marginproof.model.network import Configuration, Network, VaultPin
from marginproof.model.network_file import (
    Delays,
    NetworkFile,
    RelayerCard,
    RelayerEndpoint,
    VenueCard,
    VenueEndpoint,
    dump_network_file,
    parse_network_file,
    signer_set_of,
)
from marginproof.model.reasons import ReasonCode
from marginproof.model.universe import Universe
from marginproof.model.universe_file import parse_universe_file

_WHAT: Final = "the plan"
_MAX_DELAY_SECONDS: Final = 31_536_000
_PLACEHOLDER: Final = re.compile(r"\$\{([a-z0-9-]{1,32})\}")
_Card = TypeVar("_Card", RelayerCard, VenueCard)
_Name = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]


class _Chain(StrictDocument):
    chain: str
    vault: bool = True
    required: int | None = Field(default=None, ge=1)


class _TestContract(StrictDocument):
    name: _Name
    chain: str


class TestToken(_TestContract):
    """An ERC-20 token that anybody may mint."""

    symbol: str = Field(pattern=r"^[A-Z0-9]{1,8}$")
    decimals: int = Field(ge=0, le=18)


class TestFeed(_TestContract):
    """A price feed with one price, posted by whoever deploys."""

    price: str = Field(pattern=r"^\d{1,12}(\.\d{1,8})?$")


class _Test(StrictDocument):
    tokens: list[TestToken] = Field(default=[], max_length=64)
    feeds: list[TestFeed] = Field(default=[], max_length=64)

    @property
    def contracts(self) -> tuple[_TestContract, ...]:
        """All of them, in the plan's order."""
        return (*self.tokens, *self.feeds)


class PlanDocument(StrictDocument):
    """The plan as YAML spells it; see the templates for every key's meaning."""

    api_version: Literal["marginproof/network-plan/v1"] = Field(alias="apiVersion")
    development: bool = False
    home_chain: str
    n: int
    chains: list[_Chain] = Field(min_length=1, max_length=64)
    rpc_file: Path | None = None
    relayers: list[Path] = Field(min_length=1, max_length=256)
    threshold: int = Field(gt=0)
    venues: list[Path] = Field(default=[], max_length=64)
    universe: Path
    delays: Delays
    test: _Test = _Test()
    record: Path
    network: Path


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """A checked plan with the cards that it names; ``folder`` is where its paths start."""

    document: PlanDocument
    folder: Path
    relayers: tuple[RelayerCard, ...]
    venues: tuple[VenueCard, ...]
    universe_text: str

    @property
    def vault_chains(self) -> tuple[str, ...]:
        """The chains that get a vault, in the plan's order."""
        return tuple(chain.chain for chain in self.document.chains if chain.vault)

    @property
    def test_names(self) -> tuple[str, ...]:
        """Names of the test contracts."""
        return tuple(item.name for item in self.document.test.contracts)

    def endpoints(self, rpc_file: Path | None) -> Endpoints:
        """The endpoints of every chain of the plan, from the file named or else the plan's own.

        Raises:
            ConfigurationError: There is no file, or it lacks a chain.
        """
        path = rpc_file or (self.folder / self.document.rpc_file if self.document.rpc_file else None)
        if path is None:
            raise ConfigurationError(
                "no file of endpoints is named", fix="name one with --rpc-file, or as rpc_file in the plan"
            )
        endpoints = read_rpc_file(path)
        for chain in self.document.chains:
            if chain.chain not in endpoints:
                raise ConfigurationError(
                    f"no endpoints of {chain.chain} are configured",
                    fix=f"add lines {chain.chain}=URL to the file of endpoints",
                    fields={"chain": chain.chain},
                )
        return endpoints

    def universe(self, addresses: Mapping[str, bytes]) -> Universe:
        """The universe with the addresses (20 bytes) of the test contracts filled in.

        Raises:
            ConfigurationError: CONFIG_INVALID.
        """
        wanted = _PLACEHOLDER.findall(self.universe_text)
        unknown = [name for name in wanted if name not in addresses]
        if unknown:
            raise ConfigurationError(
                f"the universe names ${{{unknown[0]}}}, which the plan does not deploy",
                fix="add it under test, or write an address",
            )
        text = _PLACEHOLDER.sub(lambda match: format_address(addresses[match[1]]), self.universe_text)
        return parse_universe_file(text.encode(), self.document.n)

    def configuration(self, vaults: Mapping[str, bytes], code_hash: bytes) -> Configuration:
        """The network's configuration, once the vaults' addresses are known."""
        signer_set = signer_set_of(tuple(card.public_key for card in self.relayers), self.document.threshold)
        return Configuration(
            **self.document.delays.model_dump(),
            threshold=self.document.threshold,
            signer_set_digest=signer_set.root(),
            vaults=tuple(VaultPin(chain, vaults[chain], code_hash) for chain in self.vault_chains),
        )

    def network_file(self, configuration: Configuration, registry: bytes, universe: Universe) -> NetworkFile:
        """The network file, checked as every reader will check it.

        Raises:
            ConfigurationError: CONFIG_INVALID or POSSESSION_INVALID.
        """
        keys = tuple(card.public_key for card in self.relayers)
        file = NetworkFile(
            network=Network(self.document.home_chain, registry, self.document.n, configuration.root()),
            configuration=configuration,
            universe=universe,
            signer_set=signer_set_of(keys, self.document.threshold),
            relayers=tuple(RelayerEndpoint(index, **dict(card)) for index, card in enumerate(self.relayers)),
            venues=tuple(VenueEndpoint(**dict(card)) for card in self.venues),
            development=self.document.development,
        )
        checked = parse_network_file(dump_network_file(file))
        check_signer_set(checked.signer_set, [relayer.possession for relayer in checked.relayers])
        return checked


def load_plan(path: Path) -> Plan:
    """Reads a plan and everything that it names but the endpoints, and checks that it adds up to a network.

    Raises:
        ConfigurationError: FILE_UNREADABLE, TOO_LARGE, CONFIG_INVALID, POSSESSION_INVALID.
    """
    document = parse_document(PlanDocument, read_file(path, _WHAT, "write one with: marginproof network init"), _WHAT)
    folder = path.resolve().parent
    plan = Plan(
        document=document,
        folder=folder,
        relayers=tuple(_card(RelayerCard, folder / name) for name in document.relayers),
        venues=tuple(_card(VenueCard, folder / name) for name in document.venues),
        universe_text=_text(folder / document.universe),
    )
    _check(plan)
    return plan


def init(folder: Path, profile: str, now: int) -> Result:
    """Writes the plan and the universe of a profile into a folder; nothing is overwritten."""
    template = files("marginproof.cli") / "templates" / profile
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("plan.yaml", "universe.yaml"):
            text = (template / name).read_text(encoding="utf-8").replace("GENESIS_TIME", str(now - now % 300))
            with (folder / name).open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise ConfigurationError(
            f"cannot write a new plan into {folder.name!r}",
            code=ReasonCode.FILE_UNREADABLE,
            fix="name a folder that has no plan.yaml and no universe.yaml yet, and that you may write to",
        ) from error
    plan = folder / "plan.yaml"
    document = {"plan": str(plan), "universe": str(folder / "universe.yaml"), "profile": profile}
    fields = [*document.items(), ("next", f"edit both, then: marginproof network deploy {plan} --key-file KEY")]
    return Result("network-init", document, fields)


def _check(plan: Plan) -> None:
    """Everything that can be wrong before anything is paid for, tried with addresses that stand for the real ones."""
    chains = _check_document(plan)
    stand_ins = {name: bytes([1, number]) + bytes(18) for number, name in enumerate(plan.test_names)}
    universe = plan.universe(stand_ins)
    vaults = {chain: bytes([2, number]) + bytes(18) for number, chain in enumerate(plan.vault_chains)}
    file = plan.network_file(plan.configuration(vaults, bytes(32)), bytes([3]) + bytes(19), universe)
    problems = universe_problems(file, chains)
    if problems:
        raise _invalid(problems[0], "correct the universe file")


def _check_document(plan: Plan) -> list[str]:
    """What the plan says by itself; gives its chains."""
    document = plan.document
    chains = [chain.chain for chain in document.chains]
    try:
        for chain in chains:
            evm_chain_number(chain)
    except MalformedError as error:
        raise _invalid(error.message, error.fix) from error
    if len(set(chains)) != len(chains):
        raise _invalid("a chain is listed twice", "list it once")
    if document.home_chain not in chains:
        raise _invalid("the home chain is not among the chains", "add it under chains, with vault: false if need be")
    if not plan.vault_chains:
        raise _invalid("no chain has a vault", "give one chain a vault")
    _check_test_contracts(document, chains)
    for name in ("notice_seconds", "claim_seconds", "policy_delay_seconds"):
        if not 0 < getattr(document.delays, name) <= _MAX_DELAY_SECONDS:
            raise _invalid(f"{name} must be above 0 and at most a year", "the contracts refuse other delays")
    return chains


def _check_test_contracts(document: PlanDocument, chains: list[str]) -> None:
    names = [contract.name for contract in document.test.contracts]
    if names and not document.development:
        raise _invalid("test contracts belong to development networks", "remove test, or set development: true")
    if len(set(names)) != len(names):
        raise _invalid("two test contracts have one name", "rename one")
    if {item.chain for item in document.test.contracts} - set(chains):
        raise _invalid("a test contract lies on a chain that is not listed", "add the chain under chains")


def universe_problems(file: NetworkFile, chains: list[str]) -> list[str]:
    """What a universe must hold within its network besides its own rules.

    Args:
        file: The network.
        chains: Chains that can be read.
    """
    with_vault = {vault.chain for vault in file.configuration.vaults}
    problems = [
        f"entry {entry.id!r} lies on {entry.chain}, which has no vault"
        for entry in file.universe.entries
        if entry.chain and entry.chain not in with_vault
    ]
    for point in file.universe.points:
        if not file.development and len(point.feeds) < 3:
            problems.append(f"price point {point.id!r} has fewer than three feeds")
        problems += [
            f"price point {point.id!r} has a feed on {feed.chain}, which no endpoint serves"
            for feed in point.feeds
            if feed.chain not in chains
        ]
    return problems


def _card(kind: type[_Card], path: Path) -> _Card:
    what = f"the card {path.name!r}"
    return parse_document(kind, read_file(path, what, "make it with: marginproof network card"), what)


def _text(path: Path) -> str:
    data = read_file(path, "the universe file", "name it as universe in the plan")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise _invalid("the universe file is no UTF-8 text", "write it again") from None


def _invalid(message: str, fix: str) -> ConfigurationError:
    return ConfigurationError(f"{_WHAT}: {message}", fix=fix)

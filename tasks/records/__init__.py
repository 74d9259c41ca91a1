"""The language that phases share: frozen records without I/O, importing nothing but pydantic."""

from tasks.records.data import DatasetVersion, Row
from tasks.records.decision import Binding, Decision
from tasks.records.evidence import CheckFailure, Evidence, EvidenceSet, GateReport, GateResult, Slice, Verdict
from tasks.records.handover import Developed, FineTuned, Validated
from tasks.records.model import BaseModelVersion
from tasks.records.operation import LimitResult, OperateReport, TrafficWindow
from tasks.records.prompt import PromptVersion
from tasks.records.quality import QualityReport, SplitName
from tasks.records.record import Digest, Record
from tasks.records.release import Candidate, Release, Rollout
from tasks.records.requirements import SecurityRequirements
from tasks.records.training import TrainedAdapter
from tasks.records.waiver import RefusedWaiver, Waiver

__all__ = [
    "BaseModelVersion",
    "Binding",
    "Candidate",
    "CheckFailure",
    "DatasetVersion",
    "Decision",
    "Developed",
    "Digest",
    "Evidence",
    "EvidenceSet",
    "FineTuned",
    "GateReport",
    "GateResult",
    "LimitResult",
    "OperateReport",
    "PromptVersion",
    "QualityReport",
    "Record",
    "RefusedWaiver",
    "Release",
    "Rollout",
    "Row",
    "SecurityRequirements",
    "Slice",
    "SplitName",
    "TrafficWindow",
    "TrainedAdapter",
    "Validated",
    "Verdict",
    "Waiver",
]

"""The portfolio margin that Derive publishes as PMRM_2, as published: not convex, so for looking, not for proofs.

Everything here is double arithmetic on amounts in the clear. Source of the rule: derivexyz/v2-core, ``PMRM_2.sol`` and
``PMRMLib_2.sol``, and the formulas that were derived from them.
"""

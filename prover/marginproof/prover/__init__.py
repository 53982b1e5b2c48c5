"""The account's side: keys, locks, registration, evidence, statements, proofs.

Start with :class:`marginproof.prover.account.Account` and :class:`marginproof.prover.session.AccountSession`.
"""

"""The demo: two chains, three relayers, a venue and a market maker as processes of their own, and one bad day."""

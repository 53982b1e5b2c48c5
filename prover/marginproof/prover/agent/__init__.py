"""The unattended account agent: a pure core that decides, and a thin asyncio shell that asks, proves and warns."""

"""A person with a browser: Chromium, logged in to a Home Assistant, clicking through its pages."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ..parts import missing, program
from .running import HomeAssistant

WAIT_MS = 60_000  # the frontend compiles nothing, but a loaded machine is slow


@asynccontextmanager
async def browsing(home_assistant: HomeAssistant) -> AsyncIterator[Any]:
    """Yield a page of a browser that is logged in as the owner."""
    try:
        from playwright.async_api import async_playwright
    except ImportError:
        missing("this test clicks through Home Assistant in a browser", "pip install playwright")
    chromium = program("chromium", "chromium")
    tokens = {
        "access_token": home_assistant.token,
        "token_type": "Bearer",
        "expires_in": 1800,
        "hassUrl": home_assistant.base,
        "clientId": home_assistant.base + "/",
        "expires": 9_999_999_999_999,
        "refresh_token": "",
    }
    async with async_playwright() as playwright:
        # Without a sandbox because tests run as root in containers; it sees nothing but the tests' own pages.
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            page = await browser.new_page(viewport={"width": 1280, "height": 900}, base_url=home_assistant.base)
            page.set_default_timeout(WAIT_MS)
            await page.add_init_script(f"localStorage.setItem('hassTokens', {json.dumps(json.dumps(tokens))})")
            yield page
        finally:
            await browser.close()


async def add_hearth(page: Any, port: int, code: Callable[[], Awaitable[str]], pictures: Path) -> None:
    """Add the integration by clicking; leave pictures of what a person sees."""
    await page.goto("/config/integrations/dashboard")
    await page.get_by_role("button", name="Add integration").first.click()
    await page.locator("dialog-add-integration input").first.fill("Hearth")
    await page.get_by_text("Hearth", exact=True).first.click()
    # The fields come one by one, not in their order.
    text = page.locator('step-flow-form input:not([type="number"])').first
    await page.locator('step-flow-form input[type="number"]').fill(str(port))
    await text.fill("127.0.0.1")
    await page.get_by_role("button", name="Submit").click()
    await page.get_by_text("shows a code of six digits").wait_for()
    await page.screenshot(path=pictures / "pairing.png")
    await text.fill(await code())
    await page.get_by_role("button", name="Submit").click()
    await page.get_by_role("button", name="Finish").click()


def picture_folder(scratch: Path) -> Path:
    """Return where pictures go: HEARTH_SCREENSHOTS, to look at them or to publish them, else a scratch folder."""
    folder = Path(os.environ.get("HEARTH_SCREENSHOTS", scratch))
    folder.mkdir(parents=True, exist_ok=True)
    return folder

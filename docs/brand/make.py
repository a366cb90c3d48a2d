"""Draw the integration's icons: a hearth whose flame is a sound wave. `python docs/brand/make.py` (needs Pillow)."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

OVER = 4  # drawn larger and scaled down, for smooth edges
STONE, EMBER, FLAME, DARK = "#5d4037", "#ff7043", "#ffca28", "#2b1d18"
BARS = (0.30, 0.55, 0.85, 1.0, 0.7, 0.45, 0.25)  # of the sound wave, each a part of the highest


def icon(size: int) -> Image.Image:
    """Return the icon, transparent around the hearth."""
    side = size * OVER
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    unit = side / 100
    draw.rounded_rectangle([6 * unit, 6 * unit, 94 * unit, 94 * unit], radius=14 * unit, fill=STONE)
    draw.rounded_rectangle([18 * unit, 20 * unit, 82 * unit, 94 * unit], radius=30 * unit, fill=DARK)
    draw.rectangle([18 * unit, 60 * unit, 82 * unit, 88 * unit], fill=DARK)
    width, gap = 5.6 * unit, 2.6 * unit
    left = 50 * unit - (len(BARS) * width + (len(BARS) - 1) * gap) / 2
    for number, part in enumerate(BARS):
        x = left + number * (width + gap)
        top = 82 * unit - part * 50 * unit
        draw.rounded_rectangle([x, top, x + width, 82 * unit], radius=width / 2, fill=FLAME if part > 0.6 else EMBER)
    draw.rounded_rectangle([14 * unit, 84 * unit, 86 * unit, 90 * unit], radius=3 * unit, fill=EMBER)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def main() -> None:
    """Write icon and logo, plain and for dense screens."""
    folder = Path(__file__).parents[2] / "custom_components" / "hearth" / "brand"
    for name, size in (("icon.png", 256), ("icon@2x.png", 512), ("logo.png", 256), ("logo@2x.png", 512)):
        icon(size).save(folder / name, optimize=True)


if __name__ == "__main__":
    main()

"""Edges and scribbles by OpenCV: what test/images/canny.test.ts and scribble.test.ts compare with.

    python opencv_edges.py OUTPUT.json

Each case has a random picture in RGB and its luma; `canny`, what `cv2.Canny` gives for both with each of the settings; and
`scribble`, what the last step of ControlNet's fake scribbles makes of the first of these. Bytes are base64.
"""

import base64
import json
import sys

import cv2
import numpy as np

SIZES = [(40, 32), (21, 38), (24, 9), (1, 1), (1, 7), (12, 1), (2, 2)]
SETTINGS = [(100, 200, False), (50, 60.5, False), (0, 0, False), (100, 200, True), (20.5, 90, True)]


def random_picture(generator, width, height):
    """Soft colour fields with a few hard shapes: gradients of all sizes, and plateaus of equal ones."""
    noise = generator.integers(0, 256, (height // 6 + 2, width // 6 + 2, 3), dtype=np.uint8)
    picture = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(4):
        color = generator.integers(0, 256, 3).tolist()
        x, y = int(generator.integers(0, width)), int(generator.integers(0, height))
        cv2.rectangle(picture, (x, y), (x + 9, y + 7), color, -1)
        cv2.circle(picture, (y, x), 6, color, 1)
    return picture


def encode(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def scribble(edges):
    blurred = cv2.GaussianBlur(edges, (0, 0), 3.0)
    return np.where(blurred > 4, 255, 0).astype(np.uint8)


def case(picture):
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    canny = [
        {
            "lowThreshold": low,
            "highThreshold": high,
            "l2Gradient": l2,
            "color": encode(cv2.Canny(picture, low, high, L2gradient=l2)),
            "gray": encode(cv2.Canny(luma, low, high, L2gradient=l2)),
        }
        for low, high, l2 in SETTINGS
    ]
    height, width, _ = picture.shape
    return {
        "size": [width, height],
        "rgb": encode(picture),
        "luma": encode(luma),
        "canny": canny,
        "scribble": encode(scribble(cv2.Canny(picture, 100, 200))),
    }


def main(output):
    generator = np.random.default_rng(7)
    cases = [case(random_picture(generator, *size)) for size in SIZES]
    with open(output, "w", encoding="utf-8") as file:
        json.dump({"opencv": cv2.__version__, "cases": cases}, file)
        file.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Landmarks of photos by MediaPipe's own Python package, as goldens for the engine's tests.

    python3.11 -m venv mediapipe-env && mediapipe-env/bin/pip install mediapipe==0.10.21
    mediapipe-env/bin/python mediapipe_facemesh.py ../../../../examples/portrait.jpg > portrait.facemesh.json
    mediapipe-env/bin/python mediapipe_facemesh.py turned.jpg > turned.facemesh.json
    mediapipe-env/bin/python mediapipe_facemesh.py cut.jpg > cut.facemesh.json

Writes one JSON object for one photo: name and sha256 of the file, size in pixels, and the 478 landmarks of its only face
as [x, y, z] in pixels, rounded to 0.01. MediaPipe counts pixel centres as whole numbers: the engine's image frame has
its landmarks half a pixel further right and down.
"""

import hashlib
import json
import pathlib
import sys

import cv2
import mediapipe


def main(path: pathlib.Path) -> None:
    encoded = path.read_bytes()
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    height, width = image.shape[:2]
    options = {"static_image_mode": True, "max_num_faces": 1, "refine_landmarks": True, "min_detection_confidence": 0.5}
    with mediapipe.solutions.face_mesh.FaceMesh(**options) as network:
        faces = network.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).multi_face_landmarks
    if not faces:
        sys.exit(f"no face found in {path.name}")
    landmarks = [[round(p.x * width, 2), round(p.y * height, 2), round(p.z * width, 2)] for p in faces[0].landmark]
    golden = {
        "mediapipe": mediapipe.__version__,
        "photo": path.name,
        "sha256": hashlib.sha256(encoded).hexdigest(),
        "width": width,
        "height": height,
    }
    lines = ",\n".join("    " + json.dumps(p) for p in landmarks)
    head = json.dumps(golden, indent=2)[:-2]
    print(f'{head},\n  "landmarks": [\n{lines}\n  ]\n}}')


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))

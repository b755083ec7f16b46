"""The models of the plain combination, as their libraries' documentation shows them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from bench_plain import Plain
from PIL import Image

from edit_metrics.config import Config
from edit_metrics.types import RGB, Float32
from edit_metrics.weights import store


def load_plain(config: Config) -> Plain:
    """The combination that measures what the profile's models measure."""
    backends = config.backends
    if "conse" in backends:
        return Plain(("conse", PlainConse()), PlainOpenNsfw(), PlainDlib())
    faces = (
        PlainYunet(str(backends["faces"]["detector"]), str(backends["faces"]["embedder"]))
        if "faces" in backends
        else None
    )
    return Plain(
        ("clip", PlainClip(str(backends["clip"]["weights"]))), PlainVit(str(backends["safety"]["weights"])), faces
    )


class PlainConse:
    """timm's EfficientNet-lite0, transformers' MiniLM."""

    def __init__(self) -> None:
        import timm
        from safetensors.torch import load_file
        from transformers import AutoModel, AutoTokenizer

        from edit_metrics.backends.conse import ConseEncoder

        self._classes = ConseEncoder(device="cpu")._class_embeddings
        self._model = timm.create_model("tf_efficientnet_lite0", pretrained=False)
        found = load_file(store.locate("conse.image"))
        state = self._model.state_dict()
        self._model.load_state_dict(dict(zip(state, [found[name] for name in sorted(found)], strict=True)))
        self._model.eval()
        folder = store.locate("conse.text")
        self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._text = AutoModel.from_pretrained(folder, local_files_only=True).eval()

    def picture(self, image: RGB) -> Float32:
        """Unit norm."""
        picture = Image.fromarray(image)
        scale = 256 / min(picture.size)
        picture = picture.resize((int(picture.width * scale), int(picture.height * scale)), Image.Resampling.BICUBIC)
        left, top = (picture.width - 224) // 2, (picture.height - 224) // 2
        pixels = np.asarray(picture.crop((left, top, left + 224, top + 224)), np.float32) / 127.5 - 1
        with torch.no_grad():
            chances = self._model(torch.from_numpy(pixels).permute(2, 0, 1)[None]).softmax(1)[0].numpy()
        top_ten = np.argsort(chances)[-10:]
        return unit(chances[top_ten] @ self._classes[top_ten])

    def text(self, text: str) -> Float32:
        """Unit norm."""
        tokens = self._tokenizer(text, truncation=True, max_length=256, return_tensors="pt")
        with torch.no_grad():
            return unit(self._text(**tokens).last_hidden_state[0].mean(0).numpy())


class PlainClip:
    """open_clip."""

    def __init__(self, weights: str) -> None:
        import open_clip
        from safetensors.torch import load_file

        self._model, _, self._transform = open_clip.create_model_and_transforms("ViT-B-32")
        self._model.load_state_dict(load_file(weights))
        self._model.eval()
        self._tokenizer = open_clip.get_tokenizer("ViT-B-32")

    def picture(self, image: RGB) -> Float32:
        """Unit norm."""
        with torch.no_grad():
            return unit(self._model.encode_image(self._transform(Image.fromarray(image))[None])[0].numpy())

    def text(self, text: str) -> Float32:
        """Unit norm."""
        with torch.no_grad():
            return unit(self._model.encode_text(self._tokenizer([text]))[0].numpy())


class PlainOpenNsfw:
    """ONNX Runtime with its own defaults."""

    def __init__(self) -> None:
        import onnxruntime

        self._session = onnxruntime.InferenceSession(str(store.locate("open_nsfw")), providers=["CPUExecutionProvider"])

    def __call__(self, image: RGB) -> float:
        """Probability that the picture is not safe."""
        from edit_metrics.backends.open_nsfw import preprocess

        (scores,) = self._session.run(None, {self._session.get_inputs()[0].name: preprocess(image)[None]})
        return float(scores[0, 1])


class PlainVit:
    """transformers' image classifier."""

    def __init__(self, folder: str) -> None:
        from transformers import AutoImageProcessor, AutoModelForImageClassification

        self._processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
        self._model = AutoModelForImageClassification.from_pretrained(folder, local_files_only=True).eval()

    def __call__(self, image: RGB) -> float:
        """Probability that the picture is not safe."""
        inputs = self._processor(images=Image.fromarray(image), return_tensors="pt")
        with torch.no_grad():
            return float(self._model(**inputs).logits.softmax(-1)[0, 1])


class PlainDlib:
    """dlib, detection with one upsampling, as its examples have it."""

    def __init__(self) -> None:
        import dlib

        self._detector = dlib.get_frontal_face_detector()
        self._landmarks = dlib.shape_predictor(str(store.locate("dlib.landmarks5")))
        self._embedder = dlib.face_recognition_model_v1(str(store.locate("dlib.face_resnet")))

    def __call__(self, image: RGB) -> list[Float32]:
        """An embedding a face."""
        boxes = self._detector(image, 1)
        found = [self._embedder.compute_face_descriptor(image, self._landmarks(image, box)) for box in boxes]
        return [np.array(vector, np.float32) for vector in found]


class PlainYunet:
    """OpenCV's detector and recogniser."""

    def __init__(self, detector: str, embedder: str) -> None:
        import cv2

        self._detector = cv2.FaceDetectorYN.create(detector, "", (320, 320), 0.7)
        self._embedder = cv2.FaceRecognizerSF.create(str(Path(embedder)), "")

    def __call__(self, image: RGB) -> list[Float32]:
        """An embedding a face."""
        bgr = np.ascontiguousarray(image[..., ::-1])
        self._detector.setInputSize((bgr.shape[1], bgr.shape[0]))
        _, rows = self._detector.detect(bgr)
        return [self._embedder.feature(self._embedder.alignCrop(bgr, row)) for row in (() if rows is None else rows)]


def unit(vector: Float32) -> Float32:
    return np.asarray(vector / np.linalg.norm(vector), np.float32)

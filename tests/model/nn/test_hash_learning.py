"""Learning of the kernel hash: what it reaches, and what it refuses."""

import pytest
import torch
from torch.nn import functional

from lutformer.errors import UsageError
from lutformer.model.config.transformer import VitConfig
from lutformer.model.nn.hash_learning import learn_hash
from lutformer.model.nn.network.vit import VisionTransformer
from lutformer.model.nn.training.export import export


def clustered(images=8, heads=2, tokens=18, width=6, groups=3):
    """Return tokens near one of a few directions, and which one."""
    generator = torch.Generator().manual_seed(1)
    centres = functional.normalize(torch.randn(groups, width, generator=generator), dim=-1)
    group = torch.arange(tokens) % groups
    noise = 0.1 * torch.randn(images, heads, tokens, width, generator=generator)
    return centres[group] + noise, group


def codes(tokens, hash_):
    unit = functional.normalize(tokens, dim=-1)
    squared = 2 - 2 * unit @ hash_.anchors.transpose(-1, -2)
    kernel = torch.exp(-squared / (2 * hash_.sigma[:, None, None])) - hash_.mean[:, None]
    return torch.where(kernel @ hash_.weight.transpose(-1, -2) >= 0, 1.0, -1.0)


def test_similar_tokens_get_similar_codes():
    tokens, group = clustered()
    hash_ = learn_hash(tokens, 12, 16, torch.Generator().manual_seed(0))
    code = codes(tokens, hash_)
    agreement = code @ code.transpose(-1, -2) / 16
    same = group[:, None] == group
    assert agreement[..., same].mean() > agreement[..., ~same].mean() + 0.8
    random = codes(tokens, hash_.__class__(**vars(hash_) | {"weight": torch.randn(2, 16, 12)}))
    chance = random @ random.transpose(-1, -2) / 16
    margin = chance[..., same].mean() - chance[..., ~same].mean()
    assert agreement[..., same].mean() - agreement[..., ~same].mean() > margin


def test_it_repeats():
    tokens, _ = clustered()
    first, second = (learn_hash(tokens, 9, 8, torch.Generator().manual_seed(3)) for _ in range(2))
    assert all(torch.equal(getattr(first, name), getattr(second, name)) for name in vars(first))


def test_too_few_tokens_and_tokens_without_direction_are_refused():
    tokens, _ = clustered(images=1)
    tokens[:, :, :8] = 0
    message = (
        r"^A kernel hash of 11 anchors needs as many tokens that are not zero, the batch has 10; "
        r"use a larger batch or fewer anchors$"
    )
    with pytest.raises(UsageError, match=message):
        learn_hash(tokens, 11, 8, torch.Generator())
    assert learn_hash(tokens, 10, 8, torch.Generator()).anchors.any(-1).all()


def test_training_learns_it_once_and_freezes_it():
    config = VitConfig(height=8, width=8, dim=16, attention="linear", code_bits=8, anchors=9)
    torch.manual_seed(0)
    model = VisionTransformer(config).train()
    images = torch.randint(0, 256, (4, 8, 8, 1), dtype=torch.uint8)
    before = export(model).blocks[0].attention.hash.bias.copy()  # type: ignore[union-attr]
    model.relearn_hashes(torch.Generator().manual_seed(0))
    model(images)
    learned = export(model).blocks[0].attention.hash.bias.copy()  # type: ignore[union-attr]
    model(images)
    after = export(model).blocks[0].attention.hash.bias  # type: ignore[union-attr]
    assert (before != learned).any()
    assert (learned == after).all()

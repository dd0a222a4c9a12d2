"""QuWeiT's published share of multiplications, from the shape of DeiT-T."""

import pytest

from lutformer.model.costs.published_share import Products, removed_share, transformer_products
from lutformer.testing.random_network import NetworkShape, random_network

DEIT_T = {"tokens": 197, "dim": 192, "depth": 12, "patches": 196, "patch_size": 16 * 16 * 3}


def test_deit_t_is_as_published():
    """Published: "approximately 55 %"."""
    assert int(100 * transformer_products(**DEIT_T).mlp_share) == 55


def test_the_backbone_reads_images_of_224_pixels():
    """Images of CIFAR's own size, in patches of 4, would make it 63 %."""
    small = DEIT_T | {"tokens": 65, "patches": 64, "patch_size": 4 * 4 * 3}
    assert round(100 * transformer_products(**small).mlp_share) == 63


def test_products_by_hand():
    found = transformer_products(tokens=3, dim=4, depth=2, patches=2, patch_size=5, hidden=6)
    assert found == Products(
        embedding=2 * 5 * 4,
        projections=2 * 4 * 3 * 16,
        attention=2 * 2 * 9 * 4,
        mlp=2 * 2 * 3 * 4 * 6,
    )


def test_only_weightless_mlps_remove():
    shape = {"height": 8, "width": 8, "dim": 16, "depth": 2, "class_token": True}
    products = transformer_products(tokens=17, dim=16, depth=2, patches=16, patch_size=4)
    assert removed_share(random_network(NetworkShape(**shape))) == pytest.approx(products.mlp_share)
    assert removed_share(random_network(NetworkShape(**shape, mlp="gelu"))) == 0

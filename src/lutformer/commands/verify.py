"""``lutformer verify``."""

from ..options import Generated

__all__ = ["EXAMPLES", "verify"]

EXAMPLES = ("lutformer verify build/digits-icebreaker",)


def verify(
    directory: Generated,
) -> None:
    """Prove trained tables, Verilog and netlist equal.

    Says of each part what was shown, by what, and for which inputs. The first difference is an
    error that names the table and the input.
    """
    from ..console import out, table
    from ..proofs.verifying import verify_directory
    from ..workspace import Workspace

    workspace = Workspace(directory)
    claims = verify_directory(workspace)
    table(
        ("part", "claim", "method", "result", "seconds"),
        [(c.part, c.claim, c.method, c.result, f"{c.seconds:.1f}") for c in claims],
    )
    out.print(f"Wrote {workspace.verification}", markup=False)

"""``lutformer verify``."""

from ..options import Generated

__all__ = ["EXAMPLES", "verify"]

EXAMPLES = ("lutformer verify build/digits-icebreaker",)


def verify(
    directory: Generated,
) -> None:
    """Prove that trained tables, Verilog and netlist are equivalent.

    The proofs are formal. For each part, prints what was proved, by which method, and for which
    inputs. The first difference is an error that names the table and the input.
    """
    from ..console import out, table
    from ..verifying import verify_directory
    from ..workspace import Workspace

    workspace = Workspace(directory)
    claims = verify_directory(workspace)
    table(
        ("part", "claim", "method", "result", "seconds"),
        [(c.part, c.claim, c.method, c.result, f"{c.seconds:.1f}") for c in claims],
    )
    out.print(f"Wrote {workspace.verification}", markup=False)

"""numpy, loaded when it is first used, and the types of arrays.

Every process of a site imports what computes with arrays, and few do it: each would start later and hold 12 MB more. And it brings
threads, which the process that others are forks of may not have.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:

    class _OnUse:
        def __getattr__(self, name: str) -> Any:
            import numpy

            found = getattr(numpy, name)
            setattr(self, name, found)  # asked once for each name
            return found

    np = _OnUse()

__all__ = ["Bools", "Floats", "Int64s", "Uint32s", "Uint64s", "np"]

type Bools = NDArray[np.bool_]
type Floats = NDArray[np.float64]
type Int64s = NDArray[np.int64]
type Uint32s = NDArray[np.uint32]
type Uint64s = NDArray[np.uint64]

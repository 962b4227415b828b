"""Readers of data sets: each turns a folder into `Sample`s, one face at a time.

A reader does two things. `faces(folder)` finds out which faces there are and gives, for each, a
function that loads its picture; so several workers can load at once. `read_…(folder)` calls these
functions one after the other. A face whose picture or landmarks are unusable comes as a
`BadSample`.

| data set | reader | points | counted from |
|---|---|---|---|
| 300W | `read_300w` | 68 | 1 |
| COFW | `read_cofw` | 29 | 1 |
| WFLW | `read_wflw` | 98 | 0 |
| YouTube Faces with facial keypoints | `read_youtube_faces` | 68 | 0 |
| your own CSV file | `read_csv` | any | 0 |
| your own COCO keypoints | `read_coco` | any | 0 |

Points leave a reader in pixels counted from the middle of the first pixel, which is (0, 0): data
sets that count from 1, as Matlab does, lose 1. Public data sets refer to pictures as they are
stored; a table of your own refers to pictures turned upright, unless you say otherwise.
"""

from kdnotes.data.formats.coco import read_coco
from kdnotes.data.formats.cofw import read_cofw
from kdnotes.data.formats.ibug_300w import read_300w
from kdnotes.data.formats.own import read_csv
from kdnotes.data.formats.reading import split_by_name
from kdnotes.data.formats.wflw import read_wflw
from kdnotes.data.formats.youtube_faces import read_youtube_faces

__all__ = [
    "read_300w",
    "read_coco",
    "read_cofw",
    "read_csv",
    "read_wflw",
    "read_youtube_faces",
    "split_by_name",
]

# PostgreSQL calls it in its data directory with each finished segment of its log: sh archive.sh SEGMENT NAME
# It ends with 0 only when the segment, and every file that its rows may name, is on the archive's disk; otherwise
# PostgreSQL keeps the segment and calls again.
set -eu
segment=$PWD/$1 name=$2
# Nobody archives.
cd ../archive 2>/dev/null || exit 0
[ -d folder/wal ] || { echo "archive: $(readlink folder) is not there" >&2; exit 1; }

# put FROM TO: copy a file, which under its name is whole
put() {
    cp -p "$1" "$2.partial"
    sync "$2.partial"
    mv "$2.partial" "$2"
}

# Before the segment: a file is laid down before the row that names it is committed.
if [ -d files/. ]; then
    (cd files/. && find . -name '.?*' -prune -o -type f -print) | while IFS= read -r file; do
        if [ ! -e "folder/files/$file" ] || [ "files/$file" -nt "folder/files/$file" ]; then
            mkdir -p "folder/files/${file%/*}"
            put "files/$file" "folder/files/$file"
        fi
    done
fi

if [ -e "folder/wal/$name.gz" ]; then
    # Sent again after a crash; another content under this name is another cluster's.
    gzip -dc "folder/wal/$name.gz" | cmp -s - "$segment" && exit 0
    echo "archive: $(readlink folder) has another $name; it belongs to another twin" >&2
    exit 1
fi
# Segments are 16 MB, and most of one that was closed early is nought.
gzip -1 <"$segment" >"folder/wal/.$name"
sync "folder/wal/.$name"
mv "folder/wal/.$name" "folder/wal/$name.gz"
sync folder/wal

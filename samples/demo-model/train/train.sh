#!/bin/sh
# Makes the demo models again: ./train.sh FOLDER writes checkpoints, GGUF files and figures there. Needs .NET and Python 3 with PyTorch
# (Debian: apt-get install python3-torch python3-numpy libopenblas0-pthread). Two cores are used; a GPU that PyTorch sees is used as well.
set -eu
cd "$(dirname "$0")"
out=${1:?usage: train.sh FOLDER}
python=${PYTHON:-python3}
mkdir -p "$out"
export OMP_NUM_THREADS=1
dotnet build -c Release ../scenes

# Side by side: the language model learns from cells of word embeddings, the tower learns to make such cells from pixels.
"$python" train.py language --output "$out/language.pt" --samples 40000 --batch 8 --rate 1e-3 --pool 9000 --threads 1 > "$out/language.log" 2>&1 &
language=$!
"$python" train.py tower --output "$out/tower.pt" --samples 128000 --batch 16 --rate 2e-3 --pool 1500 --threads 1 > "$out/tower.log" 2>&1
wait "$language"

# Both together on pictures, with the answers' loss and the tower's alignment; then, for the other checkpoint, the supervised finish.
"$python" train.py joint --input "$out/language.pt" "$out/tower.pt" --output "$out/aligned.pt" --align 1 --gain 2 --samples 28000 --batch 8 --rate 8e-4 > "$out/aligned.log" 2>&1
"$python" train.py joint --maps --input "$out/aligned.pt" --output "$out/grounded.pt" --start 40000 --samples 12800 --batch 8 --rate 4e-4 > "$out/grounded.log" 2>&1

for name in aligned grounded; do
    "$python" export.py "$out/$name.pt" "$out" --name "tamx-demo-$name" --expectations "$out/tamx-demo-$name.json"
    tail -n 1 "$out/$name.log"
done

#!/bin/sh
#SBATCH --job-name=tamx
#SBATCH --array=0-15
#SBATCH --cpus-per-task=8
#SBATCH --mem=16G
#SBATCH --time=08:00:00
#SBATCH --requeue

# Each task of the array takes its part of the rows. One that is queued again goes on after its last row.
DATA=${DATA:-/data}
exec tamx batch "$DATA/rows.jsonl" -o "$DATA/out" \
    -m "$DATA/model.gguf" --mmproj "$DATA/mmproj.gguf" \
    -t "${SLURM_CPUS_PER_TASK:-8}"

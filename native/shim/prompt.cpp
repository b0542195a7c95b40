#include "internal.h"

#include <memory>

using namespace tamx;

namespace {

struct bitmap_free {
    void operator()(mtmd_bitmap * bitmap) const { mtmd_bitmap_free(bitmap); }
};

bool valid(const tamx_prompt * prompt, int32_t index) {
    return index >= 0 && (size_t) index < prompt->chunks.size();
}

} // namespace

int32_t tamx::make_patch(const tamx_vision * vision, int32_t width, int32_t height, const uint8_t * rgb, const uint8_t * second_rgb,
                         patch_chunks & patch) {
    take_logged_error();
    std::unique_ptr<mtmd_bitmap, bitmap_free> first(mtmd_bitmap_init((uint32_t) width, (uint32_t) height, rgb));
    std::unique_ptr<mtmd_bitmap, bitmap_free> second(second_rgb == nullptr ? nullptr
                                                                           : mtmd_bitmap_init((uint32_t) width, (uint32_t) height, second_rgb));
    mtmd_input_part         part_1 { nullptr, first.get() };
    mtmd_input_part         part_2 { nullptr, second.get() };
    const mtmd_input_part * parts[] = { &part_1, &part_2 };
    if (second != nullptr) {
        // Adjacent frames of one size become one temporal patch.
        mtmd_bitmap_set_mergeable(first.get(), true);
        mtmd_bitmap_set_mergeable(second.get(), true);
    }
    patch.owner.reset(mtmd_input_chunks_init());
    if (mtmd_tokenize_from_parts(vision->context, patch.owner.get(), parts, second == nullptr ? 1 : 2, false) != 0) {
        return fail(TAMX_IMAGE_FAILED, "the picture could not be prepared: " + take_logged_error());
    }
    // vision start (text), the cells, vision end (text)
    for (size_t i = 0; i < mtmd_input_chunks_size(patch.owner.get()); i++) {
        const mtmd_input_chunk * chunk = mtmd_input_chunks_get(patch.owner.get(), i);
        if (mtmd_input_chunk_get_type(chunk) == MTMD_INPUT_CHUNK_TYPE_IMAGE) {
            if (patch.cells != nullptr) {
                return fail(TAMX_IMAGE_FAILED, second == nullptr ? "the projector cuts pictures into tiles, which Qwen-VL does not"
                                                                 : "the projector does not join two frames, as Qwen-VL does");
            }
            patch.cells = chunk;
        } else {
            size_t              n      = 0;
            const llama_token * tokens = mtmd_input_chunk_get_tokens_text(chunk, &n);
            auto &              side   = patch.cells == nullptr ? patch.before : patch.after;
            side.insert(side.end(), tokens, tokens + n);
        }
    }
    return patch.cells == nullptr ? fail(TAMX_IMAGE_FAILED, "the projector made no cells of the picture") : (int32_t) TAMX_OK;
}

// Text next to text is one chunk, as if it had been added at once.
void tamx_prompt::add_tokens(const std::vector<llama_token> & tokens) {
    if (tokens.empty()) {
        return;
    }
    if (chunks.empty() || chunks.back().is_vision()) {
        chunks.emplace_back();
    }
    auto & tail = chunks.back().tokens;
    tail.insert(tail.end(), tokens.begin(), tokens.end());
}

int32_t tamx_prompt_create(const tamx_model * model, tamx_vision * vision, tamx_prompt ** prompt) {
    return guarded([&] {
        *prompt = new tamx_prompt { model, vision, {} };
        return (int32_t) TAMX_OK;
    });
}

void tamx_prompt_free(tamx_prompt * prompt) {
    delete prompt;
}

int32_t tamx_prompt_add_text(tamx_prompt * prompt, const char * text, int32_t length, int32_t parse_special) {
    return guarded([&] {
        std::vector<llama_token> tokens((size_t) length + 1);
        const int32_t n = llama_tokenize(prompt->model->vocab, text, length, tokens.data(), (int32_t) tokens.size(), false, parse_special != 0);
        if (n < 0) {
            return fail(TAMX_INTERNAL, "the tokenizer gave more tokens than bytes");
        }
        tokens.resize((size_t) n);
        prompt->add_tokens(tokens);
        return (int32_t) TAMX_OK;
    });
}

int32_t tamx_prompt_add_vision(tamx_prompt * prompt, int32_t width, int32_t height, const int32_t * times, int32_t count) {
    return guarded([&] {
        if (prompt->vision == nullptr) {
            return fail(TAMX_INVALID_ARGUMENT, "the model was loaded without a vision projector");
        }
        if (width <= 0 || height <= 0 || count <= 0 || times[0] != 0) {
            return fail(TAMX_INVALID_ARGUMENT, "a vision block needs a width, a height and a patch at time 0");
        }
        for (int32_t i = 1; i < count; i++) {
            if (times[i] <= times[i - 1]) {
                return fail(TAMX_INVALID_ARGUMENT, "the times of a vision block must ascend");
            }
        }
        patch_chunks  patch;
        const int32_t status = make_patch(prompt->vision, width, height, nullptr, nullptr, patch);
        if (status != TAMX_OK) {
            return status;
        }
        // The grid is read off the positions of the cells; cells lie row by row.
        const int32_t          cells = (int32_t) mtmd_input_chunk_get_n_tokens(patch.cells);
        const mtmd_decoder_pos last  = mtmd_image_tokens_get_decoder_pos(mtmd_input_chunk_get_tokens_image(patch.cells), 0, (size_t) cells - 1);
        tamx_chunk             chunk;
        chunk.width   = width;
        chunk.height  = height;
        chunk.columns = (int32_t) last.x + 1;
        chunk.rows    = (int32_t) last.y + 1;
        if (chunk.count() != cells) {
            return fail(TAMX_IMAGE_FAILED, "the picture's cells are no grid");
        }
        prompt->add_tokens(patch.before);
        for (int32_t i = 0; i < count; i++) {
            chunk.time       = times[i];
            chunk.ends_block = i == count - 1;
            prompt->chunks.push_back(chunk);
        }
        prompt->add_tokens(patch.after);
        return (int32_t) TAMX_OK;
    });
}

int32_t tamx_prompt_chunk_count(const tamx_prompt * prompt, int32_t * count) {
    return guarded([&] {
        *count = (int32_t) prompt->chunks.size();
        return (int32_t) TAMX_OK;
    });
}

int32_t tamx_prompt_chunk(const tamx_prompt * prompt, int32_t index, int32_t * tokens, int32_t * grid_columns, int32_t * grid_rows) {
    return guarded([&] {
        if (!valid(prompt, index)) {
            return fail(TAMX_INVALID_ARGUMENT, "no such chunk");
        }
        const tamx_chunk & chunk = prompt->chunks[(size_t) index];
        *tokens       = chunk.count();
        *grid_columns = chunk.columns;
        *grid_rows    = chunk.rows;
        return (int32_t) TAMX_OK;
    });
}

int32_t tamx_prompt_chunk_tokens(const tamx_prompt * prompt, int32_t index, int32_t * tokens, int32_t capacity) {
    return guarded([&] {
        if (!valid(prompt, index) || (size_t) capacity < prompt->chunks[(size_t) index].tokens.size()) {
            return fail(TAMX_INVALID_ARGUMENT, "no such chunk, or the buffer is too small");
        }
        const auto & source = prompt->chunks[(size_t) index].tokens;
        std::copy(source.begin(), source.end(), tokens);
        return (int32_t) TAMX_OK;
    });
}

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

// Text next to text is one chunk, as if it had been added at once.
std::vector<llama_token> & tamx_prompt::text_tail() {
    if (chunks.empty() || chunks.back().picture != nullptr) {
        chunks.emplace_back();
    }
    return chunks.back().tokens;
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
        if (n > 0) {
            auto & tail = prompt->text_tail();
            tail.insert(tail.end(), tokens.begin(), tokens.begin() + n);
        }
        return (int32_t) TAMX_OK;
    });
}

int32_t tamx_prompt_add_picture(tamx_prompt * prompt, int32_t width, int32_t height, const uint8_t * rgb) {
    return guarded([&] {
        if (prompt->vision == nullptr) {
            return fail(TAMX_INVALID_ARGUMENT, "the model was loaded without a vision projector");
        }
        if (width <= 0 || height <= 0) {
            return fail(TAMX_INVALID_ARGUMENT, "a picture needs a width and a height");
        }
        take_logged_error();
        std::unique_ptr<mtmd_bitmap, bitmap_free> bitmap(mtmd_bitmap_init((uint32_t) width, (uint32_t) height, rgb));
        mtmd_input_part         part { nullptr, bitmap.get() };
        const mtmd_input_part * parts[] = { &part };

        std::unique_ptr<mtmd_input_chunks, chunk_free> chunks(mtmd_input_chunks_init());
        if (mtmd_tokenize_from_parts(prompt->vision->context, chunks.get(), parts, 1, false) != 0) {
            return fail(TAMX_IMAGE_FAILED, "the picture could not be prepared: " + take_logged_error());
        }
        // vision start (text), the cells, vision end (text)
        const mtmd_input_chunk * picture = nullptr;
        for (size_t i = 0; i < mtmd_input_chunks_size(chunks.get()); i++) {
            const mtmd_input_chunk * chunk = mtmd_input_chunks_get(chunks.get(), i);
            if (mtmd_input_chunk_get_type(chunk) == MTMD_INPUT_CHUNK_TYPE_IMAGE) {
                if (picture != nullptr) {
                    return fail(TAMX_IMAGE_FAILED, "the projector cuts pictures into tiles, which Qwen-VL does not");
                }
                picture = chunk;
                prompt->chunks.emplace_back();
                prompt->chunks.back().picture = chunk;
            } else {
                size_t              n      = 0;
                const llama_token * tokens = mtmd_input_chunk_get_tokens_text(chunk, &n);
                auto &              tail   = prompt->text_tail();
                tail.insert(tail.end(), tokens, tokens + n);
            }
        }
        for (auto & chunk : prompt->chunks) {
            if (chunk.picture != nullptr && chunk.picture == picture) {
                chunk.owner = std::move(chunks);
                return (int32_t) TAMX_OK;
            }
        }
        return fail(TAMX_IMAGE_FAILED, "the projector made no cells of the picture");
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
        *grid_columns = *grid_rows = 0;
        if (chunk.picture == nullptr) {
            *tokens = (int32_t) chunk.tokens.size();
            return (int32_t) TAMX_OK;
        }
        *tokens = (int32_t) mtmd_input_chunk_get_n_tokens(chunk.picture);
        // The grid is read off the positions of the cells; cells lie row by row.
        const mtmd_decoder_pos last = mtmd_image_tokens_get_decoder_pos(mtmd_input_chunk_get_tokens_image(chunk.picture), 0, (size_t) *tokens - 1);
        *grid_columns = (int32_t) last.x + 1;
        *grid_rows    = (int32_t) last.y + 1;
        return *grid_columns * *grid_rows == *tokens ? (int32_t) TAMX_OK : fail(TAMX_IMAGE_FAILED, "the picture's cells are no grid");
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

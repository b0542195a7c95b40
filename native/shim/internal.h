// What the shim's files share. Not part of the border.
#pragma once

#include "tamx_llama.h"

#include "ggml-backend.h"
#include "llama.h"
#include "mtmd.h"

#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <vector>

namespace tamx {

int32_t fail(int32_t status, std::string message);

// The newest error line of llama.cpp's log since the last call; empty if there is none.
std::string take_logged_error();

int32_t copy_text(const std::string & text, char * destination, int32_t capacity);

template <class Body> int32_t guarded(Body && body) noexcept {
    try {
        return body();
    } catch (const std::bad_alloc &) {
        return fail(TAMX_OUT_OF_MEMORY, "out of memory");
    } catch (const std::exception & e) {
        return fail(TAMX_INTERNAL, e.what());
    } catch (...) {
        return fail(TAMX_INTERNAL, "unknown C++ exception");
    }
}

struct chunk_free {
    void operator()(mtmd_input_chunks * chunks) const { mtmd_input_chunks_free(chunks); }
};

// What libmtmd makes of the frames of one temporal patch: the tokens before its cells, its cells, the tokens after.
struct patch_chunks {
    std::unique_ptr<mtmd_input_chunks, chunk_free> owner;
    const mtmd_input_chunk *                       cells = nullptr; // owned by `owner`
    std::vector<llama_token>                       before, after;
};

// rgb null: only to count; such cells cannot be encoded. second_rgb null: a still picture.
int32_t make_patch(const tamx_vision * vision, int32_t width, int32_t height, const uint8_t * rgb, const uint8_t * second_rgb, patch_chunks & patch);

} // namespace tamx

struct tamx_model {
    llama_model *       model;
    const llama_vocab * vocab;
    int32_t             hidden_size;
    int32_t             vocabulary_size;
};

struct tamx_vision {
    mtmd_context * context = nullptr;
    std::mutex     encoding; // the encoder holds one patch's output at a time
    // Cancels the patch that is being encoded; set only while `encoding` is held.
    const std::atomic<bool> * cancelled = nullptr;
    int32_t                   node      = 0;
};

// A run of text tokens, or the cells of one temporal patch (of a picture, which is one, or of a video).
struct tamx_chunk {
    std::vector<llama_token> tokens;
    int32_t                  width = 0, height = 0;   // pixels
    int32_t                  columns = 0, rows = 0;   // cells, row by row; none for text
    int32_t                  time       = 0;          // on M-RoPE's time axis, from the start of the block, whose first patch is at 0
    bool                     ends_block = false;
    std::vector<float>       embeddings;              // of an encoded patch, freed after its last token

    bool    is_vision() const { return columns > 0; }
    int32_t count() const { return is_vision() ? columns * rows : (int32_t) tokens.size(); }
};

struct tamx_prompt {
    const tamx_model *      model;
    tamx_vision *           vision;
    std::vector<tamx_chunk> chunks;

    void add_tokens(const std::vector<llama_token> & tokens);
};

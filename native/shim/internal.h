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

} // namespace tamx

struct tamx_model {
    llama_model *       model;
    const llama_vocab * vocab;
    int32_t             hidden_size;
    int32_t             vocabulary_size;
};

struct tamx_vision {
    mtmd_context * context = nullptr;
    std::mutex     encoding; // the encoder holds one picture's output at a time
    // Cancels the picture that is being encoded; set only while `encoding` is held.
    const std::atomic<bool> * cancelled = nullptr;
    int32_t                   node      = 0;
};

// A run of text tokens, or one picture.
struct tamx_chunk {
    std::vector<llama_token>                             tokens;
    const mtmd_input_chunk *                             picture = nullptr; // owned by `owner`
    std::unique_ptr<mtmd_input_chunks, tamx::chunk_free> owner;
    std::vector<float>                                   embeddings; // of an encoded picture, freed after its last token
    llama_pos                                            start = 0;  // position of the picture's first cell
};

struct tamx_prompt {
    const tamx_model *      model;
    tamx_vision *           vision;
    std::vector<tamx_chunk> chunks;

    std::vector<llama_token> & text_tail();
};

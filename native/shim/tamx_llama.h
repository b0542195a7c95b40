// The C border between Tamx and llama.cpp. Everything that C# binds is here, and nothing of llama.cpp's own headers
// shows: their structs change between releases, this file does not. Compiled against the headers of the very library
// it runs with.
//
// Every function returns a tamx_status; no exception crosses the border. After a status other than TAMX_OK,
// tamx_last_error on the same thread gives the message. Text is UTF-8. A bool is an int32_t of 0 or 1.
// Objects are made by *_create / *_load and freed by *_free exactly once; freeing null does nothing.
// An object keeps nothing alive: the caller frees contexts and prompts before their vision projector and model.
#pragma once

#include <stdint.h>

#if defined(_WIN32)
#    define TAMX_API __declspec(dllexport)
#else
#    define TAMX_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define TAMX_ABI_VERSION 5

enum tamx_status {
    TAMX_OK               = 0,
    TAMX_INVALID_ARGUMENT = 1,
    TAMX_LOAD_FAILED      = 2, // the model or projector could not be loaded
    TAMX_CANCELLED        = 3,
    TAMX_CONTEXT_FULL     = 4, // no room for the batch; what was decoded before is still there
    TAMX_DECODE_FAILED    = 5,
    TAMX_IMAGE_FAILED     = 6, // a picture could not be prepared or encoded
    TAMX_OUT_OF_MEMORY    = 7,
    TAMX_BUFFER_TOO_SMALL = 8, // the needed size is in the out parameter
    TAMX_INTERNAL         = 9
};

typedef struct tamx_model   tamx_model;
typedef struct tamx_vision  tamx_vision;
typedef struct tamx_prompt  tamx_prompt;
typedef struct tamx_context tamx_context;

// ---- runtime ---------------------------------------------------------------------------------------------------------

// level: 1 debug, 2 info, 3 warning, 4 error, 5 continuation of the line before
typedef void (*tamx_log_callback)(int32_t level, const char * text, int32_t length);

// Loads the compute backends (each process once) and routes all native log lines to log (may be null).
// library_dir: the folder of this library, where its backends lie unless it was built for others.
TAMX_API int32_t tamx_initialize(const char * library_dir, tamx_log_callback log);

TAMX_API int32_t tamx_abi_version(void);

// Copies the message of this thread's last failure, cut to capacity (with its terminating zero). Returns its length.
TAMX_API int32_t tamx_last_error(char * text, int32_t capacity);

// Version of llama.cpp, for example "0.5.0". Copied like tamx_last_error.
TAMX_API int32_t tamx_llama_version(char * text, int32_t capacity);

TAMX_API int32_t tamx_device_count(int32_t * count);

// kind: 0 CPU, 1 GPU, 2 integrated GPU, 3 accelerator beside the CPU, 4 other. Memory in bytes.
TAMX_API int32_t tamx_device(int32_t index, char * name, int32_t name_capacity, char * description,
                             int32_t description_capacity, int32_t * kind, uint64_t * free_memory, uint64_t * total_memory);

// Bytes of a row of n values of a ggml type; n must be a multiple of the type's block.
TAMX_API int32_t tamx_row_bytes(int32_t ggml_type, int64_t n, int64_t * bytes);

// Turns one row of n values of a ggml type into float32.
TAMX_API int32_t tamx_dequantize_row(int32_t ggml_type, const void * source, int64_t source_bytes, int64_t n, float * destination);

// ---- model -----------------------------------------------------------------------------------------------------------

// Called while loading with a share in [0, 1]; returning 0 cancels.
typedef int32_t (*tamx_progress_callback)(float share, void * user_data);

// gpu_layers: layers on the GPU, negative for all. device: name of the one to use, "none" for no device but the CPU; null or empty for
// all there are.
TAMX_API int32_t tamx_model_load(const char * path, int32_t gpu_layers, const char * device, int32_t use_mmap,
                                 tamx_progress_callback progress, void * user_data, tamx_model ** model);
TAMX_API void    tamx_model_free(tamx_model * model);

TAMX_API int32_t tamx_model_sizes(const tamx_model * model, int32_t * hidden_size, int32_t * vocabulary_size,
                                  int32_t * training_context, int32_t * layers);

// The token's bytes; control tokens give their text too. Parts of a UTF-8 character come as they are.
TAMX_API int32_t tamx_token_bytes(const tamx_model * model, int32_t token, char * bytes, int32_t capacity, int32_t * length);
TAMX_API int32_t tamx_token_ends_generation(const tamx_model * model, int32_t token, int32_t * ends);

// parse_special: whether the text of control tokens (<|im_end|> and so on) becomes that token.
TAMX_API int32_t tamx_tokenize(const tamx_model * model, const char * text, int32_t length, int32_t parse_special,
                               int32_t * tokens, int32_t capacity, int32_t * count);

// Writes a quantized copy. file_type: llama_ftype (1 F16, 7 Q8_0, 15 Q4_K_M, 18 Q6_K).
TAMX_API int32_t tamx_model_quantize(const char * source, const char * destination, int32_t file_type, int32_t threads);

// ---- vision projector ------------------------------------------------------------------------------------------------

// device: as for the model, where use_gpu is 1. min_tokens, max_tokens: bounds of cells per picture, 0 = the model's own.
TAMX_API int32_t tamx_vision_load(const tamx_model * model, const char * path, int32_t use_gpu, const char * device, int32_t threads,
                                  int32_t min_tokens, int32_t max_tokens, tamx_progress_callback progress, void * user_data,
                                  tamx_vision ** vision);
TAMX_API void    tamx_vision_free(tamx_vision * vision);

// ---- prompt: text tokens, pictures and videos in order ---------------------------------------------------------------

TAMX_API int32_t tamx_prompt_create(const tamx_model * model, tamx_vision * vision, tamx_prompt ** prompt); // vision may be null
TAMX_API void    tamx_prompt_free(tamx_prompt * prompt);
TAMX_API int32_t tamx_prompt_add_text(tamx_prompt * prompt, const char * text, int32_t length, int32_t parse_special);

// One vision block with the markers around it: a chunk of cells for each of its count temporal patches, all of one size in pixels. times: where
// each patch lies on the time axis of M-RoPE, counted from the start of the block, strictly ascending; a picture is one patch at 0.
// The pixels come when a patch is encoded.
TAMX_API int32_t tamx_prompt_add_vision(tamx_prompt * prompt, int32_t width, int32_t height, const int32_t * times, int32_t count);

TAMX_API int32_t tamx_prompt_chunk_count(const tamx_prompt * prompt, int32_t * count);

// grid_columns, grid_rows: 0 for text. tokens: cells of a temporal patch or text tokens.
TAMX_API int32_t tamx_prompt_chunk(const tamx_prompt * prompt, int32_t index, int32_t * tokens, int32_t * grid_columns,
                                   int32_t * grid_rows);
TAMX_API int32_t tamx_prompt_chunk_tokens(const tamx_prompt * prompt, int32_t index, int32_t * tokens, int32_t capacity);

// ---- context: decoding with capture ----------------------------------------------------------------------------------

// precise_cache: key-value cache in float32 without flash attention; slower, independent of how batches are cut.
// capture = 0: plain generation; decodes take no rows, and those of a prompt give the logits of their last token alone.
TAMX_API int32_t tamx_context_create(tamx_model * model, int32_t context_size, int32_t batch_size, int32_t threads,
                                     int32_t precise_cache, int32_t capture, tamx_context ** context);
TAMX_API void    tamx_context_free(tamx_context * context);

// May be called from any thread; the call in progress then returns TAMX_CANCELLED soon, and every later one at once.
TAMX_API void    tamx_context_cancel(tamx_context * context);

// Encodes a temporal patch of the prompt from its pixels, height x width x RGB of the size given before; second_rgb is the patch's second frame,
// or null for a picture (a still frame twice). Its embeddings stay in the prompt until it is decoded.
TAMX_API int32_t tamx_context_encode(tamx_context * context, tamx_prompt * prompt, int32_t index, const uint8_t * rgb,
                                     const uint8_t * second_rgb);

// Decodes tokens first .. first+count-1 of a prompt's chunk, count <= batch size, in order, and writes their hidden
// states (after the final norm) to rows [count, hidden_size]. want_logits = 0 stops before the lm_head product.
TAMX_API int32_t tamx_context_decode_chunk(tamx_context * context, tamx_prompt * prompt, int32_t index, int32_t first,
                                           int32_t count, int32_t want_logits, float * rows);

// The same for tokens given by id, count <= batch size.
TAMX_API int32_t tamx_context_decode_tokens(tamx_context * context, const int32_t * tokens, int32_t count,
                                            int32_t want_logits, float * rows);

// llama.cpp's own embeddings output of row index of the last decode, for checking the capture against.
TAMX_API int32_t tamx_context_embedding(tamx_context * context, int32_t index, float * row);

// The M-RoPE position that the next text token gets, for checking how vision blocks are placed.
TAMX_API int32_t tamx_context_next_position(const tamx_context * context, int32_t * position);

// Logits of the last token decoded with want_logits, [vocabulary_size].
TAMX_API int32_t tamx_context_logits(tamx_context * context, float * logits);

// temperature <= 0: greedy. top_k <= 0, top_p >= 1: off.
TAMX_API int32_t tamx_context_set_sampling(tamx_context * context, float temperature, int32_t top_k, float top_p, uint32_t seed);

// Chooses the next token from the logits of the last token decoded with want_logits.
TAMX_API int32_t tamx_context_sample(tamx_context * context, int32_t * token);

// How likely a token was after row index of the last decode (-1: its last row), which must have wanted logits: its logit,
// and ln(sum of exp(logit)) over the vocabulary. With it the k best tokens, best first (the lower id where logits are equal).
TAMX_API int32_t tamx_context_rank(tamx_context * context, int32_t index, int32_t token, int32_t k, float * logit,
                                   double * log_sum, int32_t * candidates, float * candidate_logits);

#ifdef __cplusplus
}
#endif

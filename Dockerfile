# The web app: docker build -t tamx . && docker run -p 8016:8016 -e TAMX_API_KEY=... -v /models:/models:ro tamx -m /models/MODEL.gguf --mmproj /models/MMPROJ.gguf
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish src/Tamx.Cli --use-current-runtime --self-contained false --output /tamx

FROM mcr.microsoft.com/dotnet/aspnet:10.0
# llama.cpp's OpenMP, and what videos are read with.
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 ffmpeg && rm -rf /var/lib/apt/lists/*
COPY --from=build /tamx /opt/tamx
USER app
EXPOSE 8016
# Outside loopback the server wants a key: TAMX_API_KEY.
ENTRYPOINT ["/opt/tamx/tamx", "serve", "--host", "0.0.0.0"]

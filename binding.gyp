# For tools that build with node-gyp (@electron/rebuild, node-gyp-build): it only calls the CMake build, into
# a folder of its own, since node-gyp empties build/ first.
{
  'targets': [
    {
      'target_name': 'ip_adapter_instruct',
      'type': 'none',
      'actions': [
        {
          'action_name': 'cmake',
          'inputs': ['CMakeLists.txt'],
          'outputs': ['<(PRODUCT_DIR)/ip_adapter_instruct.node'],
          'action': [
            'node', 'scripts/build-native.mjs', '--out', 'build-cmake', '--arch', '<(target_arch)',
            '--copy-to', '<(PRODUCT_DIR)',
          ],
        },
      ],
    },
  ],
}
